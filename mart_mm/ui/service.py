"""What the routes act on: videos, jobs, results and the place on disk that they share."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from mart_mm.errors import MediaError
from mart_mm.structures.emotion_report import EmotionReport
from mart_mm.ui import exporting
from mart_mm.ui.jobs import FINISHED, Job, JobQueue, Progress
from mart_mm.ui.library import GoneError, Library, NoRoomError, Video
from mart_mm.ui.limits import Limits
from mart_mm.ui.media import check_media
from mart_mm.ui.workplace import Workplace

logger = logging.getLogger(__name__)
#: video, transcript or None, progress -> report
Analyser = Callable[[Path, Path | None, Progress], EmotionReport]
#: errors that are about what was given; anything else is logged with its traceback as well
_EXPLAINED = (MediaError, GoneError, NoRoomError, ValueError, OSError)
_SECONDS_TO_STOP = 10.0


class Service:
    """Lives as long as the server; use as a context.

    Args:
        analysers: By the name of their model.
        folder: Videos that can be chosen.
        limits: Of all of it.
    """

    def __init__(
        self, analysers: Mapping[str, Analyser], *, folder: Path | None, limits: Limits
    ) -> None:
        self.analysers, self.limits = dict(analysers), limits
        self.workplace = Workplace()
        self.root = self.workplace.root
        try:
            self.library = Library(
                self.root, folder, limits, free=lambda video: self.jobs.free(video)
            )
        except BaseException:
            self.workplace.close()
            raise
        self.jobs = JobQueue(
            num_workers=limits.num_workers,
            max_queued=limits.max_queued,
            max_kept=limits.max_results,
            explain=self._explain,
            on_forget=self._remove_results,
        )

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel what runs and remove everything that was written."""
        self.jobs.close(_SECONDS_TO_STOP)
        self.workplace.close()

    def is_busy(self, video: Video) -> bool:
        """Whether a job of the video waits or runs."""
        jobs = self.jobs.all()
        return any(job.video_id == video.id and job.state not in FINISHED for job in jobs)

    def analyse(self, video: Video, model: str) -> Job:
        """Queue the analysis of a video by a model.

        Raises:
            MediaError: When it is no video.
            QueueFullError: When too many wait.
        """
        if not video.is_upload:  # uploads were checked when they came
            check_media(video.path, video.name, self.limits)
        return self.jobs.submit(
            Job('analysis', video.id, model, partial(self._analyse, video, model))
        )

    def _analyse(self, video: Video, model: str, on_progress: Progress) -> EmotionReport:
        report = self.analysers[model](video.path, video.transcript, on_progress)
        return replace(report, video=video.name)

    def export(self, analysis: Job, video: Video, name: str) -> Path:
        """The file of a finished analysis in a format, made where it is not there.

        Raises:
            GoneError: When the video or its analysis is not there any more.
            NoRoomError: When the disk space of the page is taken.
            OSError: When it cannot be written.
        """
        folder = self.results(analysis)
        if exporting.is_made(folder, name):
            return exporting.export(analysis.result, video.path, folder, name)
        size = min(video.size, self.limits.max_upload_bytes)  # a guess; it is not known before
        with self.library.adding(video, size if name in exporting.SLOW_FORMATS else 0):
            path = exporting.export(analysis.result, video.path, folder, name)
            if self.jobs.find(analysis.id) is None:
                self._remove_results(analysis)
                raise GoneError('the analysis has made room for others: analyse the video again')
            return path

    def export_later(self, analysis: Job, video: Video, name: str) -> Job:
        """Queue an export, unless it is there, queued or running: then the job that makes it.

        Raises:
            QueueFullError: When too many wait.
        """
        for job in self.jobs.all():
            is_same = job.parent is analysis and job.name == name
            if is_same and job.state in ('queued', 'running', 'done'):
                return job

        def work(on_progress: Progress) -> Path:
            on_progress(0.0, f'writing {name}')
            return self.export(analysis, video, name)

        return self.jobs.submit(Job('export', video.id, name, work, parent=analysis))

    def results(self, analysis: Job) -> Path:
        """Where the exports of an analysis are kept."""
        return self.root / 'results' / analysis.id

    def _remove_results(self, job: Job) -> None:
        shutil.rmtree(self.results(job), ignore_errors=True)

    def _explain(self, job: Job, error: Exception) -> str:
        if not isinstance(error, _EXPLAINED):
            logger.error('%s of %s failed', job.kind, job.name, exc_info=error)
        words = str(error) or type(error).__name__
        video = self.library.find(job.video_id)
        if video is not None:
            words = words.replace(str(video.path), video.name)
            if video.transcript is not None:
                words = words.replace(str(video.transcript), 'the transcript')
        return words
