"""What a run writes down about itself must not end it."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from pathlib import Path

from mmengine.visualization import LocalVisBackend

from mart_mm.registry import VISBACKENDS


def cannot_log(path: str | Path, error: BaseException | None) -> str:
    """Say that a file of the log could not be written."""
    return (
        f'{path} cannot be written ({error}): the run goes on without; make room or mend the disk'
    )


@VISBACKENDS.register_module()
class FaultTolerantVisBackend(LocalVisBackend):
    """MMEngine's backend of local files; a disk that is full costs the lines, with one warning.

    Lines of ``scalars.json`` are whole or absent.
    """

    _is_said = False

    def _dump(self, value_dict: dict, file_path: str, file_format: str) -> None:
        size = os.path.getsize(file_path) if os.path.exists(file_path) else 0
        try:
            super()._dump(value_dict, file_path, file_format)
        except OSError as error:
            with suppress(OSError):
                os.truncate(file_path, size)
            if not self._is_said:
                warnings.warn(cannot_log(file_path, error), stacklevel=2)
            self._is_said = True
