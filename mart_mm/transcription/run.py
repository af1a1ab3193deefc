"""Transcribe many files: restartable, one broken file never ends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from mart_mm.datasets.base import VIDEO_SUFFIXES
from mart_mm.datasets.media.audio_reader import read_audio
from mart_mm.transcription.backends.base import SAMPLE_RATE, SpeechBackend
from mart_mm.transcription.config import BackendConfig
from mart_mm.transcription.filters import SegmentFilter
from mart_mm.transcription.results import (
    Transcription,
    file_identity,
    is_finished,
    result_path,
    write_result,
)

MEDIA_SUFFIXES = (*VIDEO_SUFFIXES, '.wav', '.flac', '.mp3', '.m4a', '.ogg', '.opus')
#: what reading a broken file, a full disk or a recogniser may raise (MediaError among them)
_FILE_ERRORS = (RuntimeError, OSError, ValueError)


@dataclass
class Report:
    """What a run did.

    Attributes:
        transcribed: Files that got a result.
        skipped: Files that had one.
        failures: Path -> what is wrong with it.
        kept: Segments kept, over the files transcribed.
        dropped: Segments dropped by reason, over the same.
    """

    transcribed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def failed_share(self) -> float:
        """Share of failed files among all."""
        count = len(self.transcribed) + len(self.skipped) + len(self.failures)
        return len(self.failures) / max(1, count)

    def summary(self) -> str:
        """Lines for the user."""
        reasons = ', '.join(f'{reason} {n}' for reason, n in self.dropped.most_common())
        lines = [
            f'{len(self.transcribed)} transcribed, {len(self.skipped)} finished before, '
            f'{len(self.failures)} failed; segments: {self.kept} kept, '
            f'{self.dropped.total()} dropped' + (f' ({reasons})' if reasons else '')
        ]
        # a MediaError names its file itself
        return '\n'.join(
            [
                *lines,
                *(
                    f'  failed: {text if text.startswith(path) else f"{path}: {text}"}'
                    for path, text in self.failures.items()
                ),
            ]
        )


def find_media(paths: Iterable[str | Path]) -> list[Path]:
    """Files given, and all media files below the folders given, sorted.

    Raises:
        FileNotFoundError: When a path does not exist.
        ValueError: When there is no media file, or two files would share one result.
    """
    found: set[Path] = set()
    for path in map(Path, paths):
        if not path.exists():
            raise FileNotFoundError(f'{path}: no such file or folder')
        inside = path.rglob('*') if path.is_dir() else [path]
        found.update(
            file
            for file in inside
            if file == path or (file.suffix.lower() in MEDIA_SUFFIXES and file.is_file())
        )
    files = sorted(found)
    if not files:
        raise ValueError(f'no media file ({", ".join(MEDIA_SUFFIXES)}) in the paths given')
    results: dict[Path, Path] = {}
    for file in files:
        other = results.setdefault(result_path(file), file)
        if other != file:
            raise ValueError(f'{other} and {file} would share {result_path(file)}: rename one')
    return files


def transcribe_files(
    files: Sequence[str | Path],
    config: BackendConfig,
    segment_filter: SegmentFilter | None = None,
    *,
    jobs: int = 1,
    overwrite: bool = False,
    progress: bool = False,
) -> Report:
    """Write ``<video>.asr.json`` and ``<video>.asr.srt`` beside each file.

    Files whose result was made of the same content with the same settings are skipped, so a run
    that was stopped goes on where it stopped. With ``jobs`` above 1 the calling script needs
    ``if __name__ == '__main__':``.

    Args:
        files: Videos or sound files.
        config: The recogniser; loaded only when there is something to do.
        segment_filter: Of invented segments; by default Whisper's own thresholds.
        jobs: Processes; each loads the model.
        overwrite: Whether finished files are done again.
        progress: Whether to show a progress bar.

    Returns:
        What was done, with the failures.

    Raises:
        ImportError: When the backend's library is not installed.
        FileNotFoundError: When the model is missing.
    """
    segment_filter = segment_filter or SegmentFilter()
    settings = config.settings(segment_filter)
    report = Report()
    waiting = []
    for file in map(str, files):
        done = not overwrite and is_finished(file, settings)
        (report.skipped if done else waiting).append(file)
    bar = tqdm(total=len(waiting), unit='file', disable=not progress)
    with bar:
        for file, counts in _outcomes(waiting, config, segment_filter, min(jobs, len(waiting))):
            if isinstance(counts, str):
                report.failures[file] = counts
            else:
                report.transcribed.append(file)
                report.kept += counts['kept']
                report.dropped.update(counts['dropped'])
            bar.set_postfix(failed=len(report.failures), refresh=False)
            bar.update()
    return report


def transcribe_file(
    path: str | Path, backend: SpeechBackend, segment_filter: SegmentFilter, settings: dict
) -> Transcription:
    """Transcribe one file and write its result; without sound it is empty.

    Args:
        path: The file.
        backend: Loaded.
        segment_filter: Of invented segments.
        settings: What made the result, for its JSON; see ``BackendConfig.settings``.

    Raises:
        MediaError: When the file cannot be opened.
        OSError: When the result cannot be written.
    """
    media = file_identity(path)
    waveform = read_audio(str(path), SAMPLE_RATE)
    if waveform is None:
        result = Transcription(settings, media, language=None, has_sound=False)
    else:
        speech = backend.transcribe(waveform)
        kept, dropped = segment_filter.split(speech.segments)
        result = Transcription(settings, media, speech.language, True, tuple(kept), tuple(dropped))
    write_result(path, result)
    return result


class _Worker:
    """A loaded recogniser; ``attempt`` gives the counts of a file, or what is wrong with it."""

    current: _Worker | Exception

    def __init__(self, config: BackendConfig, segment_filter: SegmentFilter) -> None:
        self.backend, self.segment_filter = config.build(), segment_filter
        self.settings = config.settings(segment_filter)

    def attempt(self, file: str) -> dict | str:
        try:
            return transcribe_file(file, self.backend, self.segment_filter, self.settings).counts
        except _FILE_ERRORS as error:
            return str(error) or repr(error)

    @classmethod
    def start(cls, config: BackendConfig, segment_filter: SegmentFilter) -> None:
        """In a process of its own; what goes wrong is told by the first attempt."""
        try:
            cls.current = cls(config, segment_filter)
        except (ImportError, *_FILE_ERRORS) as error:
            cls.current = error

    @classmethod
    def attempt_here(cls, file: str) -> dict | str:
        if isinstance(cls.current, Exception):
            raise cls.current
        return cls.current.attempt(file)


def _outcomes(
    files: Sequence[str], config: BackendConfig, segment_filter: SegmentFilter, jobs: int
) -> Iterator[tuple[str, dict | str]]:
    """(file, counts or what is wrong) as they come."""
    if not files:
        return
    if jobs <= 1:
        worker = _Worker(config, segment_filter)
        for file in files:
            yield file, worker.attempt(file)
        return
    # a fresh interpreter per process: CUDA and OpenMP do not survive a fork
    with ProcessPoolExecutor(
        jobs, get_context('spawn'), initializer=_Worker.start, initargs=(config, segment_filter)
    ) as pool:
        futures = {pool.submit(_Worker.attempt_here, file): file for file in files}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
