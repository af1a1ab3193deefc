"""The folder on disk that belongs to one running server."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: what a killed server leaves stays until it is removed by hand
    fcntl = None

_PREFIX = 'mart_mm_ui_'
_LOCK = 'lock'


class Workplace:
    """A folder among the temporary ones, for its owner only; it goes with its server.

    A server that is killed cannot remove its folder: the next one does. Which folders have lost
    their server is known by a lock that the system takes back when a process ends.

    Attributes:
        root: The folder.
    """

    def __init__(self) -> None:
        _remove_abandoned(Path(tempfile.gettempdir()))
        self.root = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = _lock(self.root)

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.root, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _lock(root: Path) -> int | None:
    if fcntl is None:
        return None
    unlocked = root / f'{_LOCK}.new'
    lock = os.open(unlocked, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    unlocked.rename(root / _LOCK)  # under this name it is never seen unlocked while the server runs
    return lock


def _remove_abandoned(parent: Path) -> None:
    if fcntl is None:
        return
    for folder in parent.glob(f'{_PREFIX}*'):
        try:
            is_own = not folder.is_symlink() and folder.stat().st_uid == os.geteuid()
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW) if is_own else None
        except OSError:  # no folder of a server, or gone meanwhile
            continue
        if lock is None:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:  # its server runs
            pass
        finally:
            os.close(lock)
