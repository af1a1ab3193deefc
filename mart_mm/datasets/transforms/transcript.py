"""What is said in the video."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

from mart_mm.datasets.transforms.base import Transform
from mart_mm.errors import MediaError, unknown_name
from mart_mm.lexicon.container_subtitles import read_container_subtitles
from mart_mm.lexicon.subtitle_text import plain_text
from mart_mm.lexicon.transcript import (
    SUFFIXES,
    TranscriptError,
    TranscriptLine,
    find_sidecars,
    read_transcript,
)
from mart_mm.registry import TRANSFORMS
from mart_mm.transcription.results import read_speech, result_path

#: best first: what people wrote for this purpose, what people wrote, what a machine heard
SOURCES = ('annotation', 'sidecar', 'container', 'speech')


@TRANSFORMS.register_module()
class LoadTranscript(Transform):
    """Find out what is said: ``transcript``, a list of lines, ``has_text``, ``transcript_source``.

    The sources are asked in their order; the first that gives a line is the only one used:

    ============== =================================================================================
    ``annotation`` the record's own ``lines``
    ``sidecar``    the file ``transcript_path``, or that path plus a suffix, then the video's own
                   name plus a suffix, by the order of ``suffixes``
    ``container``  a stream of text subtitles inside the video file; which one of several, see
                   :func:`~mart_mm.lexicon.container_subtitles.read_container_subtitles`
    ``speech``     ``<video>.asr.json`` of tools/data/transcribe.py, words with their own times
    ============== =================================================================================

    A source that cannot be read leaves a line in ``warnings`` and the next one is asked. Of a
    record whose pictures lie in a folder, the file of its sound is the video. A record that brings
    its ``transcript`` and ``transcript_source`` keeps them.

    Args:
        sources: Those asked, in this order.
        suffixes: Of sidecar files, tried in this order.
        language: Wanted among several subtitle streams, as ISO 639 code; None takes the default.

    Raises:
        ValueError: For an unknown source, with the valid ones.
    """

    def __init__(
        self,
        *,
        sources: Sequence[str] = SOURCES,
        suffixes: Sequence[str] = SUFFIXES,
        language: str | None = None,
    ) -> None:
        for source in sources:
            if source not in SOURCES:
                raise ValueError(unknown_name('source of transcripts', source, SOURCES))
        self.sources, self.suffixes, self.language = tuple(sources), tuple(suffixes), language

    def transform(self, results: dict) -> dict:
        """Load; ``transcript_source`` is None where nothing is found."""
        results.setdefault('warnings', [])
        if 'transcript' not in results:
            self._ask(results)
        results['has_text'] = bool(results['transcript'])
        return results

    def _ask(self, results: dict) -> None:
        results['transcript'], results['transcript_source'] = [], None
        for source in self.sources:
            lines = getattr(self, f'_from_{source}')(results)
            if lines:
                results['transcript'], results['transcript_source'] = lines, source
                break

    def _from_annotation(self, results: dict) -> list[TranscriptLine]:
        lines = []
        for given in results.get('lines') or ():
            try:
                start, end, text = given
                line = TranscriptLine(max(0.0, float(start)), float(end), plain_text(text))
                if not math.isfinite(line.start + line.end):
                    raise ValueError('a time is not finite')
            except (TypeError, ValueError, OverflowError):
                name = results.get('video_id') or results.get('video_path')
                results['warnings'].append(
                    f'{name}: lines: {given!r} is no (start, end, text); mend the annotation'
                )
                continue
            if line.end > line.start and line.text:
                lines.append(line)
        return sorted(lines)

    def _from_sidecar(self, results: dict) -> list[TranscriptLine]:
        for path in self._sidecars(results):
            try:
                return read_transcript(path)
            except TranscriptError as error:
                results['warnings'].append(str(error))
        return []

    def _sidecars(self, results: dict) -> list[Path]:
        given, paths = results.get('transcript_path'), []
        if given and Path(given).suffix.lower() in self.suffixes and os.path.isfile(given):
            paths.append(Path(given))
        stems = [given] if given else []
        stems += [Path(video).with_suffix('') for video in _files(results)]
        for stem in stems:
            paths += find_sidecars(stem, self.suffixes)
        return list(dict.fromkeys(paths))

    def _from_container(self, results: dict) -> list[TranscriptLine]:
        for video in _files(results):
            if not os.path.isfile(video):
                continue
            try:
                lines = read_container_subtitles(video, self.language)
            except (MediaError, TranscriptError) as error:
                results['warnings'].append(str(error))
                continue
            if lines:
                return lines
        return []

    def _from_speech(self, results: dict) -> list[TranscriptLine]:
        for video in _files(results):
            path = result_path(video)
            if not os.path.isfile(path):
                continue
            try:
                return read_speech(path)
            except TranscriptError as error:
                results['warnings'].append(str(error))
        return []


def _files(results: dict) -> list[str]:
    """The record's video, and the file of its sound where that is another."""
    paths = [results.get('video_path'), results.get('audio_path')]
    return list(dict.fromkeys(str(path) for path in paths if path))
