"""Checkpoints are removed when those that take their place are there."""

from __future__ import annotations

import os
from pathlib import Path

from mmengine.fileio import BaseStorageBackend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from mart_mm.registry import HOOKS
from mart_mm.weight_files.resuming import POINTER
from mart_mm.weight_files.saving import explained


@HOOKS.register_module()
class WholeCheckpointHook(CheckpointHook):
    """MMEngine's hook; a kill or a full disk while it saves leaves what was there.

    MMEngine removes an old checkpoint, or the best one so far, before it writes the new one. Here the new
    one is whole on the disk first, then ``last_checkpoint`` names it, and then the old one goes, so that
    there is room for one more than ``max_keep_ckpts`` to be had.
    """

    def before_train(self, runner: Runner) -> None:
        """See MMEngine's hook."""
        super().before_train(runner)
        self.file_backend = _RemovesLater(self.file_backend)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        with explained(Path(runner.work_dir) / POINTER):
            super()._save_checkpoint_with_step(runner, step, meta)
        self.file_backend.remove_now()

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        super()._save_best_checkpoint(runner, metrics)
        self.file_backend.remove_now()


class _RemovesLater:
    """A storage backend that keeps what it is told to remove until :meth:`remove_now`."""

    def __init__(self, backend: BaseStorageBackend) -> None:
        self._backend, self._pending = backend, []

    def remove(self, path: str) -> None:
        """Note down the file that is there now; one that takes its place is not meant."""
        self._pending.append((self._backend.remove, path, _identity(path)))

    def rmtree(self, path: str) -> None:
        """Note down the folder."""
        self._pending.append((self._backend.rmtree, path, _identity(path)))

    def remove_now(self) -> None:
        """Remove what was noted down."""
        pending, self._pending = self._pending, []
        for remove, path, identity in pending:
            if _identity(path) == identity:
                remove(path)

    def __getattr__(self, name: str) -> object:
        return getattr(self._backend, name)


def _identity(path: str) -> int | None:
    """Number of a local file, None of any other one."""
    try:
        return os.stat(path).st_ino
    except OSError:
        return None
