"""Randomness that depends on the place in the run only, so that a resumed run repeats it."""

from __future__ import annotations

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mart_mm.registry import HOOKS
from mart_mm.utils.randomness import seed_globals


@HOOKS.register_module()
class ReproducibilityHook(Hook):
    """Seeds every iteration from (seed, iteration, process), and tells the data set the epoch.

    Without it a resumed run would draw other masks and augmentations than the run it continues.
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner: Runner) -> None:
        """Tell the data set the epoch: it seeds each sample's augmentation with it."""
        dataset = runner.train_dataloader.dataset
        if hasattr(dataset, 'set_epoch'):
            dataset.set_epoch(runner.epoch)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        """Seed Python, NumPy and torch."""
        seed_globals(runner.seed or 0, runner.iter, get_rank())
