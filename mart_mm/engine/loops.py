"""Epoch-based training that resumes wherever it was stopped."""

from __future__ import annotations

from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import nn

from mart_mm.registry import LOOPS

#: in the message hub, which checkpoints keep: the last epoch, counted from 1, that was evaluated
EVALUATED = 'evaluated_epoch'


def starts_epoch(runner: Runner) -> bool:
    """Whether nothing of the runner's epoch has been trained; False where it resumes within one."""
    return runner.iter == runner.epoch * len(runner.train_dataloader)


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """As MMEngine's, but a resumed run is the run that was not interrupted.

    - Resumed from within an epoch it goes on at the batch where it stopped; MMEngine would start the
      epoch again, and train it more than once. Needs a sampler with ``skip``, such as
      ``ResumableSampler``.
    - Resumed from the end of an epoch it evaluates that epoch, if that is due and the checkpoint was
      written before; MMEngine would leave it out.
    - Gradients are accumulated within an epoch: its last optimiser step may be of fewer batches, and
      averages over these. So no gradient waits where an epoch ends, which checkpoints do not hold, and
      none of pretraining reaches into finetuning. Within an epoch,
      :class:`~mart_mm.engine.hooks.resumable_checkpoint.ResumableCheckpointHook` saves after optimiser
      steps only.
    """

    def run(self) -> nn.Module:
        """Train; what was left to evaluate is evaluated first."""
        self._begin()
        if self._epoch and starts_epoch(self.runner):
            self._evaluate()
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._evaluate()
        self.runner.call_hook('after_train')
        return self.runner.model

    def _begin(self) -> None:
        """Call the hooks; the log still names the last step, where MMEngine's names the one to come."""
        hub = self.runner.message_hub
        resumed = {key: hub.runtime_info.get(key) for key in ('epoch', 'iter')}
        self.runner.call_hook('before_train')
        if self._iter and None not in resumed.values():
            hub.update_info_dict(resumed)

    def _evaluate(self) -> None:
        """Evaluate the epochs trained so far, where that is due and has not been done."""
        self._decide_current_val_interval()
        is_due = self._epoch >= self.val_begin and (
            self._epoch % self.val_interval == 0 or self._epoch == self._max_epochs
        )
        if self.runner.val_loop is None or not is_due:
            return
        hub = self.runner.message_hub
        if hub.runtime_info.get(EVALUATED) != self._epoch:
            self.runner.val_loop.run()

    def run_epoch(self) -> None:
        """Train the rest of an epoch.

        Raises:
            TypeError: When the sampler cannot skip.
        """
        done = self._iter - self._epoch * len(self.dataloader)
        if done and not hasattr(self.dataloader.sampler, 'skip'):
            raise TypeError(
                f'resuming after {done} batches of an epoch needs sampler=dict(type='
                f"'ResumableSampler'), not {type(self.dataloader.sampler).__name__}"
            )
        runner = self.runner
        runner.optim_wrapper.initialize_count_status(runner.model, done, len(self.dataloader))
        runner.call_hook('before_train_epoch')
        runner.model.train()
        if done:
            self.dataloader.sampler.skip = done * self.dataloader.batch_sampler.batch_size
        for index, batch in enumerate(self.dataloader, start=done):
            self.run_iter(index, batch)
        if done:
            self.dataloader.sampler.skip = 0
        runner.call_hook('after_train_epoch')
        self._epoch += 1
