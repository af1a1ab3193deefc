"""A video of any length as windows that look like the records a model was trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mart_mm.datasets.media.opened import OpenedFile, OpenedVideo
from mart_mm.datasets.media.video_arrays import OpenedArrays, VideoArrays
from mart_mm.datasets.transforms.transcript import LoadTranscript
from mart_mm.datasets.transforms.video import SampleSegments
from mart_mm.errors import MediaError
from mart_mm.lexicon.mood_map import MoodMap
from mart_mm.lexicon.transcript import TranscriptLine, read_transcript, word_times

#: what :class:`LoadTranscript` calls a transcript, where the report calls it otherwise
GIVEN = 'given'


class Window(NamedTuple):
    """A part of a video.

    Attributes:
        start: Seconds.
        end: Seconds.
    """

    start: float
    end: float


class Words(NamedTuple):
    """What is said in a video.

    Attributes:
        lines: With their times.
        source: Where they come from, see ``EmotionReport``; None without lines.
        warnings: What could not be read.
    """

    lines: list[TranscriptLine]
    source: str | None
    warnings: list[str]

    def within(self, window: Window) -> list[TranscriptLine]:
        """Lines of which a word may lie in a window."""
        return [line for line in self.lines if _overlap(line, window)]


def _overlap(line: TranscriptLine, window: Window) -> bool:
    words = word_times(line) if line.words else [line]
    start, end = min(w.start for w in words), max(w.end for w in words)
    return end > window.start and start < window.end


def cut(duration: float, window_seconds: float) -> list[Window]:
    """Windows of equal length that follow each other, as near to a length as is possible.

    Args:
        duration: Of the video, seconds.
        window_seconds: The length wanted; a video of up to one and a half of it is one window.
    """
    count = max(1, round(duration / window_seconds))
    edges = np.linspace(0.0, duration, count + 1).tolist()
    return [Window(*edge) for edge in zip(edges, edges[1:], strict=False)]


def open_source(source: Path | VideoArrays) -> OpenedVideo:
    """Open a video.

    Raises:
        MediaError: When arrays are no video; a file is opened when it is first read.
    """
    return OpenedArrays(source) if isinstance(source, VideoArrays) else OpenedFile(str(source))


class WindowPipeline:
    """Runs a test pipeline on windows of a video that stays open.

    Args:
        steps: Transforms, ``SampleSegments`` among them.
        mood_map: Which mood speaks for which class.

    Raises:
        ValueError: For a pipeline that reads no videos.
    """

    def __init__(self, steps: list[Callable], mood_map: MoodMap) -> None:
        self.steps, self.mood_map = steps, mood_map
        self.segments = self._find(SampleSegments)
        if self.segments is None:
            names = ', '.join(type(step).__name__ for step in steps)
            raise ValueError(
                f'the test pipeline ({names}) has no SampleSegments: it reads no videos. Give a model '
                'of videos, or evaluate this one with tools/test.py'
            )

    def _find(self, kind: type) -> Callable | None:
        return next((step for step in self.steps if isinstance(step, kind)), None)

    def find_words(self, source: Path | VideoArrays, transcript: str | Path | None) -> Words:
        """What is said: the given transcript, or what the pipeline's own step finds.

        Raises:
            TranscriptError: When the given transcript cannot be read.
        """
        if transcript is not None:
            return Words(read_transcript(transcript), GIVEN, [])
        step = self._find(LoadTranscript)
        if isinstance(source, VideoArrays):
            record = dict(video_id=source.name or 'arrays', lines=_lines(source))
            step = LoadTranscript(sources=['annotation'])
        else:
            record = dict(video_id=source.name, video_path=str(source))
        if step is None:
            return Words([], None, [])
        found = step(record)
        name = GIVEN if found['transcript_source'] == 'annotation' else found['transcript_source']
        return Words(found['transcript'], name, found['warnings'])

    def cut(self, opened: OpenedVideo, window_seconds: float) -> list[Window]:
        """Windows of a video.

        Raises:
            MediaError: When it cannot be read.
        """
        return cut(opened.frames(self.segments.size).duration, window_seconds)

    def __call__(self, opened: OpenedVideo, window: Window, words: Words, record: Mapping) -> dict:
        """A window as the model takes it.

        Args:
            opened: The video.
            window: Its part; later than those before.
            words: All that is said.
            record: ``video_id`` and ``video_path``, and ``start`` and ``end`` unless it is the whole.

        Returns:
            ``inputs`` and ``data_samples``. The sample's ``num_cues_found`` says how many cues there
            were before the pipeline left out any.

        Raises:
            MediaError: When frames or sound of it cannot be read.
        """
        results: dict = dict(
            record,
            opened=opened,
            mood_map=self.mood_map,
            rng=np.random.default_rng(0),
            transcript=words.within(window),
            transcript_source=words.source,
            has_text=bool(words.lines),
            warnings=[],
        )
        found = 0
        for step in self.steps:
            if 'cues' in results:
                found = sum(map(len, results['cues']))
            results = step(results)
        results['data_samples'].set_metainfo(dict(failures=[], num_cues_found=found))
        return results


def _lines(arrays: VideoArrays) -> list[tuple[float, float, str]]:
    said = arrays.transcript
    if isinstance(said, str):
        return [(0.0, len(arrays.frames) / arrays.fps, said)] if said.strip() else []
    return list(said or [])


def batched(items: Iterable, size: int) -> Iterator[list]:
    """Items in lists of ``size``; the last may be shorter."""
    batch: list = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def readable(
    pipeline: WindowPipeline,
    opened: OpenedVideo,
    windows: list[Window],
    words: Words,
    record: dict,
    warnings: list[str],
) -> Iterator[tuple[Window, dict]]:
    """Each window that can be read, packed; the others leave a line in ``warnings``.

    Raises:
        MediaError: Of the first window, when none can be read.
    """
    first: MediaError | None = None
    has_read = False
    for window in windows:
        part = record if len(windows) == 1 else record | window._asdict()
        try:
            packed = pipeline(opened, window, words, part)
        except MediaError as error:
            first = first or error
            warnings.append(f'{window.start:.1f} to {window.end:.1f} s left out: {error.reason}')
            opened.reopen_frames()
            continue
        has_read = True
        yield window, packed
    if not has_read and first is not None:
        raise first
