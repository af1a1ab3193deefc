"""Checkpoints from which a run goes on exactly, and of which one is always whole."""

from __future__ import annotations

import os
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.fileio import BaseStorageBackend
from mmengine.hooks import CheckpointHook
from mmengine.logging import MessageHub
from mmengine.runner import Runner

from mart_mm.engine.loops import EVALUATED
from mart_mm.registry import HOOKS
from mart_mm.weight_files.resuming import POINTER
from mart_mm.weight_files.saving import explained

#: in the message hub, which checkpoints keep: files that go when the next one is whole
OUTGOING = 'outgoing_checkpoints'


@HOOKS.register_module()
class ResumableCheckpointHook(CheckpointHook):
    """As MMEngine's, but nothing is missing in a checkpoint, and nothing is lost while one is written.

    - Checkpoints by iteration are written after the optimiser step that a due iteration belongs to:
      between two steps gradients are accumulated, which no checkpoint holds.
    - A checkpoint that is written again because the epoch is the best so far says that the epoch has
      been evaluated, also in a resumed run that has not saved yet.
    - MMEngine removes an old checkpoint, or the best one so far, before it writes the new one. Here the
      new one is whole on the disk first, then ``last_checkpoint`` names it, and then the old one goes: there
      must be room for one more than ``max_keep_ckpts``. One that was to go when the run was killed goes
      when it is resumed.
    """

    def before_train(self, runner: Runner) -> None:
        """Take up what the checkpoint says of its own saving."""
        super().before_train(runner)
        self._remove_outgoing(runner)
        self.file_backend = _RemovesLater(self.file_backend, runner.message_hub)
        self.last_ckpt = runner.message_hub.runtime_info.get('last_ckpt')
        self._is_due = False

    def _remove_outgoing(self, runner: Runner) -> None:
        """What the run's own checkpoint says was to go; that of another run has no say here."""
        folder, resumed = Path(self.out_dir), runner._load_from if runner._resume else None
        if (
            not is_main_process()
            or resumed is None
            or Path(resumed).parent.resolve() != folder.resolve()
        ):
            return
        for name in runner.message_hub.runtime_info.get(OUTGOING, ()):
            if Path(name).name == name and name.endswith('.pth'):
                (folder / name).unlink(missing_ok=True)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Save when it is due and the optimiser has stepped."""
        if self.by_epoch:
            return
        self._is_due |= self.every_n_train_iters(runner, self.interval, self.save_begin) or (
            self.save_last and self.is_last_train_iter(runner)
        )
        if self._is_due and runner.optim_wrapper.should_update():
            self._is_due = False
            runner.logger.info(f'Saving checkpoint at {runner.iter + 1} iterations')
            self._save_checkpoint(runner)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Note that the epoch has been evaluated; save it if it is the best."""
        runner.message_hub.update_info(EVALUATED, runner.epoch)
        super().after_val_epoch(runner, metrics)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        with explained(Path(runner.work_dir) / POINTER):
            super()._save_checkpoint_with_step(runner, step, meta)
        self.file_backend.remove_now()

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        super()._save_best_checkpoint(runner, metrics)
        self.file_backend.remove_now()


class _RemovesLater:
    """A storage backend that keeps what it is told to remove until :meth:`remove_now`.

    Checkpoints written in between hold the names.
    """

    def __init__(self, backend: BaseStorageBackend, hub: MessageHub) -> None:
        self._backend, self._hub, self._pending = backend, hub, []
        self._note()

    def remove(self, path: str) -> None:
        """Note down the file that is there now; one that takes its place is not meant."""
        self._pending.append((self._backend.remove, path, _identity(path)))
        self._note()

    def rmtree(self, path: str) -> None:
        """Note down the folder."""
        self._pending.append((self._backend.rmtree, path, _identity(path)))

    def remove_now(self) -> None:
        """Remove what was noted down."""
        pending, self._pending = self._pending, []
        self._note()
        for remove, path, identity in pending:
            if _identity(path) == identity:
                remove(path)

    def _note(self) -> None:
        names = (Path(path).name for _, path, _ in self._pending)
        # the next best one may have the name of the one before
        self._hub.update_info(OUTGOING, [name for name in names if not name.startswith('best_')])

    def __getattr__(self, name: str) -> object:
        return getattr(self._backend, name)


def _identity(path: str) -> int | None:
    """Number of a local file, None of any other one."""
    try:
        return os.stat(path).st_ino
    except OSError:
        return None
