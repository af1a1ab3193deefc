"""Count the videos that could not be read; stop when they are too many."""

from __future__ import annotations

import json
from pathlib import Path

from mmengine.dist import all_gather_object, get_world_size, master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mart_mm.engine.vis_backend import cannot_log
from mart_mm.errors import TooManyFailuresError
from mart_mm.registry import HOOKS
from mart_mm.utils.atomic import write_text

#: training steps after which several processes tell each other what has failed
_STEPS_BETWEEN_MERGES = 50


@HOOKS.register_module()
class FailureReportHook(Hook):
    """Collects unreadable media from all batches and all processes.

    Each file is reported once, when it first fails; ``failures.json`` in the run's log directory holds
    them all, with the reason. One process checks the share at each failure; several do so together,
    every 50 training steps and at the end of each epoch, so that all of them stop, and with the same
    error. Checkpoints keep the failures, so a resumed run knows them.

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

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep what was found."""
        checkpoint['failures'] = dict(self.failures)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Know what the run had found that is resumed; weights alone are of another run."""
        if runner._resume:
            self.failures |= checkpoint.get('failures', {})

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict, outputs: dict | None = None
    ) -> None:
        """Collect; merge over processes at times."""
        self._collect(runner, data_batch, runner.train_dataloader)
        if get_world_size() > 1 and (batch_idx + 1) % _STEPS_BETWEEN_MERGES == 0:
            self._summarise(runner, runner.train_dataloader)

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
        self._summarise(runner, runner.train_dataloader)

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Merge over processes, write, and check."""
        self._summarise(runner, runner.val_dataloader)

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Merge over processes, write, and check."""
        self._summarise(runner, runner.test_dataloader)

    def _collect(self, runner: Runner, data_batch: dict, dataloader: object) -> None:
        new = {path: why for path, why in data_batch['failures'] if path not in self.failures}
        if new:
            self.failures |= new
            self._untold |= new
            for path, reason in new.items():
                runner.logger.warning(f'skipped: {path}: {reason}')
            if get_world_size() == 1:
                self._check(dataloader)

    def _summarise(self, runner: Runner, dataloader: object) -> None:
        gathered: list[dict[str, str]] = all_gather_object(self._untold)
        for failures in gathered:
            self.failures |= failures
        if any(gathered):
            self._untold = {}
            self._write(runner)
        self._check(dataloader)

    @master_only
    def _write(self, runner: Runner) -> None:
        path = Path(runner.log_dir) / 'failures.json'
        try:
            write_text(path, json.dumps(self.failures, indent=1, sort_keys=True))
        except OSError as error:  # the run goes on, and the log has them
            runner.logger.warning(cannot_log(path, error))
            return
        runner.logger.info(f'{len(self.failures)} videos could not be read, see {path}')

    def _check(self, dataloader: object) -> None:
        records = dataloader.dataset.record_names
        failed = [names & self.failures.keys() for names in records]
        count = sum(map(bool, failed))
        if count > self.max_failed_share * len(records):
            paths = sorted(set().union(*failed))
            shown = '\n  '.join(f'{path}: {self.failures[path]}' for path in paths[:20])
            raise TooManyFailuresError(
                f'{count} of {len(records)} videos could not be read, more than the share of '
                f'{self.max_failed_share:g} that FailureReportHook.max_failed_share allows. '
                f'Mend or remove the files, or raise the share. The first ones:\n  {shown}'
            )
