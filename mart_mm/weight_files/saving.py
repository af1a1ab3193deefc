"""Checkpoints that are whole or absent on the disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from mart_mm.errors import CheckpointNotSavedError
from mart_mm.utils.atomic import replacing

#: name of the backend among MMEngine's
BACKEND = 'durable'


@register_backend(BACKEND)
class DurableBackend(LocalBackend):
    """Local files that are written under another name, synced and then renamed."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file, whole or not at all, so that it outlasts a power failure."""
        with replacing(filepath, durable=True) as temporary:
            temporary.write_bytes(obj)


@contextmanager
def explained(path: str | Path) -> Iterator[None]:
    """Say of a file that cannot be written what is wrong, and what to do.

    Raises:
        CheckpointNotSavedError: In place of an OSError.
    """
    try:
        yield
    except CheckpointNotSavedError:  # said already
        raise
    except OSError as error:
        folder = Path(path).parent
        try:
            room = f'{shutil.disk_usage(folder).free} bytes are free there'
        except OSError:
            room = 'the folder cannot be reached'
        raise CheckpointNotSavedError(
            error.errno,
            f'{path} is not saved ({error.strerror or error}; {room}). The checkpoints before it are '
            'kept: make room or mend the disk, then go on with --resume; fewer are kept with '
            'default_hooks.checkpoint.max_keep_ckpts, elsewhere with --work-dir',
        ) from error
