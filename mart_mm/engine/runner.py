"""MMEngine's runner, with checkpoints that survive kills and full disks."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, get_file_backend
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader

from mart_mm.engine.vis_backend import cannot_log
from mart_mm.utils.atomic import remove_abandoned
from mart_mm.weight_files.resuming import check_resumable, newest_whole
from mart_mm.weight_files.saving import BACKEND, explained


class AffectiveRunner(Runner):
    """The runner of all commands.

    Checkpoints on a local disk are written under another name, synced and renamed. ``resume`` without a
    file goes on from the newest whole checkpoint. The config inside a checkpoint is not run. A full disk
    stops the run when a checkpoint cannot be saved, and costs the log its lines, with one warning,
    otherwise.
    """

    def save_checkpoint(
        self,
        out_dir: str,
        filename: str,
        file_client_args: dict | None = None,
        *args: object,
        backend_args: dict | None = None,
        **kwargs: object,
    ) -> None:
        """See MMEngine's runner.

        Raises:
            CheckpointNotSavedError: Naming file, bytes free and remedy; earlier ones are kept.
        """
        is_default = backend_args is None and file_client_args is None
        if is_default and type(get_file_backend(out_dir)) is LocalBackend:
            backend_args = dict(backend=BACKEND)
        with explained(Path(out_dir) / filename):
            super().save_checkpoint(
                out_dir, filename, file_client_args, *args, backend_args=backend_args, **kwargs
            )

    def load_or_resume(self) -> None:
        """Load or resume, once.

        Raises:
            NothingToResumeError: When there are checkpoints and none is whole.
            WeightsError: When the one that is named cannot be resumed from.
        """
        if not self._has_loaded and is_main_process():
            for path in remove_abandoned(self.work_dir, '.pth'):
                self.logger.info(f'{path}: removed, a checkpoint that was not saved to its end')
        if self._resume and not self._has_loaded:
            self._choose()
        super().load_or_resume()

    def _choose(self) -> None:
        if self._load_from is not None:
            content = CheckpointLoader.load_checkpoint(self._load_from, 'cpu', self.logger)
            check_resumable(self._load_from, content)
            return
        self._load_from = newest_whole(self.work_dir)
        if self._load_from is None:
            self._resume = False
            self.logger.info(f'{self.work_dir} has no checkpoint to resume: the run begins')

    def load_checkpoint(self, filename: str, *args: object, **kwargs: object) -> dict:
        """See MMEngine's runner, which runs the config in ``meta`` when it resumes; here it is dropped."""
        checkpoint = super().load_checkpoint(filename, *args, **kwargs)
        if isinstance(checkpoint.get('meta'), dict):
            checkpoint['meta'].pop('config', None)
        return checkpoint

    def build_logger(self, *args: object, **kwargs: object) -> MMLogger:
        """See MMEngine's runner; a log file that cannot be written is said once."""
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if isinstance(handler, logging.FileHandler):
                handler.handleError = _SayOnce(logger, handler.baseFilename)
        return logger


class _SayOnce:
    """Called by logging in place of printing a traceback for every line."""

    def __init__(self, logger: MMLogger, path: str) -> None:
        self.logger, self.path, self.is_said = logger, path, False

    def __call__(self, record: logging.LogRecord) -> None:
        if not self.is_said:
            self.is_said = True
            self.logger.warning(cannot_log(self.path, sys.exc_info()[1]))
