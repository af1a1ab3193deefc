"""Subtitles of a video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mart_mm.datasets.transforms.base import Transform
from mart_mm.lexicon.transcript import SUFFIXES, TranscriptError, find_sidecar, read_transcript
from mart_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadTranscript(Transform):
    """Read the subtitles beside the video: ``transcript``, a list of lines, and ``has_text``.

    Looked for: the file ``transcript_path``, then ``transcript_path`` plus a suffix, then the
    video's own name plus a suffix. A file that cannot be read counts as no transcript and leaves a
    line in ``warnings``.

    Args:
        suffixes: Tried in this order.
    """

    def __init__(self, *, suffixes: Sequence[str] = SUFFIXES) -> None:
        self.suffixes = tuple(suffixes)

    def transform(self, results: dict) -> dict:
        """Load."""
        results.setdefault('warnings', [])
        results['transcript'] = []
        path = self._find(results.get('transcript_path'), results['video_path'])
        if path is not None:
            try:
                results['transcript'] = read_transcript(path)
            except TranscriptError as error:
                results['warnings'].append(str(error))
        results['has_text'] = bool(results['transcript'])
        return results

    def _find(self, given: str | None, video: str) -> Path | None:
        if given and Path(given).suffix.lower() in self.suffixes and Path(given).is_file():
            return Path(given)
        stems = [given] if given else []
        for stem in [*stems, Path(video).with_suffix('')]:
            path = find_sidecar(stem, self.suffixes)
            if path is not None:
                return path
        return None
