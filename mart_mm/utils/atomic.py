"""Files that are whole or absent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


@contextmanager
def replacing(path: str | Path, *, durable: bool = False) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends without error.

    A reader sees the old file or the new one; a process killed on the way leaves the old one and a
    file named ``.<name>.<random>.tmp<suffix>``, see :func:`remove_abandoned`.

    Args:
        path: The file; folders are made where missing.
        durable: Whether the file is on the disk when the block ends, so that it is there after a power
            failure too.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        dir=path.parent, prefix=f'.{path.stem}.', suffix=f'.tmp{path.suffix}'
    )
    try:
        with suppress(OSError):  # a file system without locks
            _lock(handle)  # until it is closed, at the latest by the end of the process
        os.chmod(name, 0o666 & ~_umask())
        yield Path(name)
        if durable:
            _sync(name)
        os.replace(name, path)
        if durable:
            _sync(path.parent)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)


def remove_abandoned(folder: str | Path, suffix: str) -> list[Path]:
    """Remove what killed processes left of files that they were writing, and nothing else.

    Args:
        folder: Where they were written.
        suffix: Of the files.

    Returns:
        The files that are gone.
    """
    removed = []
    for path in Path(folder).glob(f'.*.tmp{suffix}'):
        with suppress(OSError):  # another process writes it, or has removed it
            handle = os.open(path, os.O_RDWR)
            try:
                _lock(handle)
                path.unlink()
                removed.append(path)
            finally:
                os.close(handle)
    return removed


def _lock(handle: int) -> None:
    """Mark a file as being written.

    Raises:
        OSError: When another process does, or where there are no locks.
    """
    if fcntl is None:
        raise OSError('this system has no locks of files')
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sync(path: str | Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def write_text(path: str | Path, text: str, errors: str = 'replace') -> None:
    """Write a UTF-8 file, whole or not at all.

    Args:
        path: The file.
        text: Its content.
        errors: What becomes of what UTF-8 cannot hold, as in :func:`open`; ``?`` unless told otherwise.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding='utf-8', errors=errors)
