"""Checkpoints from which a run goes on exactly."""

from __future__ import annotations

from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from mart_mm.engine.loops import EVALUATED
from mart_mm.registry import HOOKS


@HOOKS.register_module()
class ResumableCheckpointHook(CheckpointHook):
    """As MMEngine's, but its checkpoints leave nothing out that a resumed run needs.

    - Checkpoints by iteration are written after the optimiser step that a due iteration belongs to:
      between two steps gradients are accumulated, which no checkpoint holds.
    - A checkpoint that is written again because the epoch is the best so far says that the epoch has
      been evaluated, also in a resumed run that has not saved yet.
    """

    def before_train(self, runner: Runner) -> None:
        """Take up what the checkpoint says of its own saving."""
        super().before_train(runner)
        self.last_ckpt = runner.message_hub.runtime_info.get('last_ckpt')
        self._is_due = False

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
