"""Count the videos that could not be read; stop when they are too many."""

from __future__ import annotations

import json
from pathlib import Path

from mmengine.dist import all_gather_object, get_world_size, master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mart_mm.engine.vis_backend import cannot_log
from mart_mm.errors import TooManyFailuresError, sum_up
from mart_mm.registry import HOOKS
from mart_mm.utils.atomic import write_text

FILE = 'failures.json'
#: training steps after which several processes tell each other what has failed
_STEPS_BETWEEN_MERGES = 50


@HOOKS.register_module()
class FailureReportHook(Hook):
    """Collects unreadable media from all batches and all processes.

    Each file is reported once, when it first fails; the log sums up the failures of each epoch by
    reason, and ``failures.json`` in the run's log directory holds all of the run. One process checks the
    share at each failure; several do so together, every 50 training steps and at the end of each epoch,
    so that all of them stop, and with the same error. Checkpoints keep the failures, so a resumed run
    knows them.

    Args:
        max_failed_share: Largest share of a data set's records that may fail. A file that several
            records share fails all of them.

    Raises:
        TooManyFailuresError: From the hooks, when more fail.
    """

    def __init__(self, *, max_failed_share: float = 0.1) -> None:
        self.max_failed_share = max_failed_share
        self.failures: dict[str, str] = {}
        self._untold: dict[str, str] = {}
        self._of_epoch: dict[str, str] = {}

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep what was found."""
        checkpoint['failures'] = dict(self.failures)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Know what the run had found that is resumed; weights alone are of another run."""
        if runner._resume:
            self.failures |= checkpoint.get('failures', {})
            self._untold |= self.failures  # this run's file has them too

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict, outputs: dict | None = None
    ) -> None:
        """Collect; merge over processes at times."""
        self._collect(runner, data_batch, runner.train_dataloader)
        if get_world_size() > 1 and (batch_idx + 1) % _STEPS_BETWEEN_MERGES == 0:
            self._merge(runner)
            self._check(runner, runner.train_dataloader)

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict, outputs: list | None = None
    ) -> None:
        """Collect."""
        self._collect(runner, data_batch, runner.val_dataloader)

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict, outputs: list | None = None
    ) -> None:
        """Collect."""
        self._collect(runner, data_batch, runner.test_dataloader)

    def after_train_epoch(self, runner: Runner) -> None:
        """Merge over processes, write, and check."""
        self._summarise(runner, runner.train_dataloader, f'training, epoch {runner.epoch + 1}')

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Merge over processes, write, and check."""
        self._summarise(runner, runner.val_dataloader, f'validation after epoch {runner.epoch}')

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Merge over processes, write, and check."""
        self._summarise(runner, runner.test_dataloader, 'test')

    def _collect(self, runner: Runner, data_batch: dict, dataloader: object) -> None:
        self._of_epoch |= dict(data_batch['failures'])
        new = {path: why for path, why in data_batch['failures'] if path not in self.failures}
        if new:
            self.failures |= new
            self._untold |= new
            for path, reason in new.items():
                runner.logger.warning(f'skipped: {path}: {reason}')
            if get_world_size() == 1:
                self._check(runner, dataloader)

    def _summarise(self, runner: Runner, dataloader: object, epoch: str) -> None:
        gathered: list[dict[str, str]] = all_gather_object(self._of_epoch)
        self._of_epoch = {}
        failed = {path: reason for failures in gathered for path, reason in failures.items()}
        self._merge(runner)
        if failed:
            runner.logger.info(
                f'{epoch}: {len(failed)} videos could not be read: {sum_up(failed.values())}; '
                f'{len(self.failures)} in this run so far, see {Path(runner.log_dir) / FILE}'
            )
        self._check(runner, dataloader)

    def _merge(self, runner: Runner) -> None:
        """Learn what others found, and write it."""
        gathered: list[dict[str, str]] = all_gather_object(self._untold)
        self._untold = {}
        for failures in gathered:
            self.failures = failures | self.failures  # the first reason of each stays
        if any(gathered):
            self._write(runner)

    @master_only
    def _write(self, runner: Runner) -> None:
        path = Path(runner.log_dir) / FILE
        try:
            write_text(path, json.dumps(self.failures, indent=1, sort_keys=True))
        except OSError as error:  # the run goes on, and the log has them
            runner.logger.warning(cannot_log(path, error))

    def _check(self, runner: Runner, dataloader: object) -> None:
        records = dataloader.dataset.record_names
        failed = [names & self.failures.keys() for names in records]
        count = sum(map(bool, failed))
        if count > self.max_failed_share * len(records):
            self._write(runner)
            paths = sorted(set().union(*failed))
            shown = '\n  '.join(f'{path}: {self.failures[path]}' for path in paths[:20])
            raise TooManyFailuresError(
                f'{count} of {len(records)} videos could not be read, more than the share of '
                f'{self.max_failed_share:g} that FailureReportHook.max_failed_share allows. '
                f'Mend or remove the files, or raise the share. The first ones:\n  {shown}'
            )
