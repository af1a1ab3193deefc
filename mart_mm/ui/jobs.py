"""Work that takes time: a few threads, a bounded queue, progress and cancelling."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mart_mm.ui.library import new_id

logger = logging.getLogger(__name__)
#: told how far the work is, in [0, 1], and what is being done; raises JobCancelled when it should stop
Progress = Callable[[float, str], None]
FINISHED = ('done', 'failed', 'cancelled')


class JobCancelled(Exception):  # noqa: N818  no error: somebody wanted it
    """Raised inside the work, from where it tells its progress."""


class QueueFullError(RuntimeError):
    """Too much is waiting already."""


@dataclass(eq=False)
class Job:
    """A piece of work.

    Attributes:
        kind: ``'analysis'`` or ``'export'``.
        video_id: What it works on.
        name: Of the model, or of the format.
        parent: The analysis that an export belongs to.
        state: ``'queued'``, ``'running'``, ``'done'``, ``'failed'`` or ``'cancelled'``.
        progress: In [0, 1].
        message: What is being done.
        error: Why it failed, in words.
        result: What the work returned.
    """

    kind: str
    video_id: str
    name: str
    work: Callable[[Progress], Any] = field(repr=False)
    parent: Job | None = None
    id: str = field(default_factory=new_id)
    state: str = 'queued'
    progress: float = 0.0
    message: str = ''
    error: str = ''
    result: Any = field(default=None, repr=False)
    created: float = field(default_factory=time.time)
    is_cancelled: threading.Event = field(default_factory=threading.Event, repr=False)

    def on_progress(self, fraction: float, message: str) -> None:
        """What the work calls.

        Raises:
            JobCancelled: When the work should stop.
        """
        if self.is_cancelled.is_set():
            raise JobCancelled
        self.progress, self.message = min(1.0, max(0.0, float(fraction))), str(message)

    def to_dict(self) -> dict:
        """What the page is told."""
        is_stopping = self.state == 'running' and self.is_cancelled.is_set()
        return dict(
            id=self.id,
            kind=self.kind,
            video=self.video_id,
            name=self.name,
            parent=self.parent.id if self.parent else None,
            state='cancelling' if is_stopping else self.state,
            progress=self.progress,
            message=self.message,
            error=self.error,
            created=self.created,
        )


class JobQueue:
    """Runs jobs in the order they came.

    Args:
        num_workers: Jobs that run at the same time.
        max_queued: Jobs that may wait.
        max_kept: Finished jobs that are remembered; the oldest are forgotten.
        explain: An error of a job's work, in words; others are logged with their traceback.
        on_forget: Told of jobs that are forgotten.
    """

    def __init__(
        self,
        *,
        num_workers: int,
        max_queued: int,
        max_kept: int,
        explain: Callable[[Job, Exception], str],
        on_forget: Callable[[Job], None],
    ) -> None:
        self.max_queued, self.max_kept = max_queued, max_kept
        self._explain, self._on_forget = explain, on_forget
        self._jobs: dict[str, Job] = {}
        self._lock = threading.RLock()
        self._has_news = threading.Condition(self._lock)
        self._is_closed = False
        self._threads = [
            threading.Thread(target=self._run_jobs, name=f'job-{number}', daemon=True)
            for number in range(num_workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, job: Job) -> Job:
        """Put it at the end of the queue.

        Raises:
            QueueFullError: When too many wait.
        """
        with self._lock:
            if sum(other.state == 'queued' for other in self._jobs.values()) >= self.max_queued:
                raise QueueFullError(
                    f'{self.max_queued} jobs are waiting already: wait for one to end, or cancel one'
                )
            self._jobs[job.id] = job
            self._forget_oldest()
            self._has_news.notify()
        return job

    def all(self) -> list[Job]:
        """In the order they came."""
        with self._lock:
            return list(self._jobs.values())

    def find(self, job_id: str) -> Job | None:
        """The job of an id, None where there is none (any more)."""
        with self._lock:
            return self._jobs.get(job_id)

    def cancel(self, job: Job) -> None:
        """Stop it before it starts, or where it next tells its progress; a finished one stays."""
        with self._lock:
            job.is_cancelled.set()
            if job.state == 'queued':
                job.state = 'cancelled'

    def free(self, video_id: str) -> bool:
        """Forget all jobs of a video, unless one of them is not finished.

        Returns:
            Whether none is left.
        """
        with self._lock:
            jobs = [job for job in self._jobs.values() if job.video_id == video_id]
            if any(job.state not in FINISHED for job in jobs):
                return False
            for job in jobs:
                self._forget(job)
            return True

    def close(self, timeout: float) -> None:
        """Cancel everything and wait for what runs, at most so many seconds."""
        with self._lock:
            for job in self.all():
                self.cancel(job)
            self._is_closed = True
            self._has_news.notify_all()
        end = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _forget_oldest(self) -> None:
        finished = [job for job in self._jobs.values() if job.state in FINISHED]
        for job in finished[: max(0, len(finished) - self.max_kept)]:
            children = [other for other in self._jobs.values() if other.parent is job]
            if all(child.state in FINISHED for child in children):
                for gone in (*children, job):
                    self._forget(gone)

    def _forget(self, job: Job) -> None:
        if self._jobs.pop(job.id, None) is not None:
            self._on_forget(job)

    def _next(self) -> Job | None:
        with self._lock:
            while not self._is_closed:
                for job in self._jobs.values():
                    if job.state == 'queued':
                        job.state = 'running'
                        return job
                self._has_news.wait()
        return None

    def _run_jobs(self) -> None:
        while (job := self._next()) is not None:
            try:
                job.on_progress(0.0, 'starting')
                job.result = job.work(job.on_progress)
            except JobCancelled:
                job.state = 'cancelled'
            except Exception as error:
                job.error = self._explain(job, error)
                job.state = 'failed'
            else:
                job.progress, job.state = 1.0, 'done'
