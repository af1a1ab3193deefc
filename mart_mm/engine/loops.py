"""Epoch-based training that also resumes within an epoch."""

from __future__ import annotations

from mmengine.runner import EpochBasedTrainLoop

from mart_mm.registry import LOOPS


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """As MMEngine's, but a run resumed from within an epoch goes on at the batch where it stopped.

    MMEngine would start the epoch again, and train it more than once. Needs a sampler with ``skip``,
    such as ``ResumableSampler``.
    """

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
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        if done:
            self.dataloader.sampler.skip = done * self.dataloader.batch_sampler.batch_size
        for index, batch in enumerate(self.dataloader, start=done):
            self.run_iter(index, batch)
        if done:
            self.dataloader.sampler.skip = 0
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1
