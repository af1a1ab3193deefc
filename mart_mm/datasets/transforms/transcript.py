"""What is said in each segment, and which of it the lexicon knows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from mart_mm.datasets.transforms.base import Transform
from mart_mm.lexicon.affect import affect_vector
from mart_mm.lexicon.base import Lexicon
from mart_mm.lexicon.matching import ConceptMatch, check_language, find_concepts
from mart_mm.lexicon.mood_map import MoodMap
from mart_mm.lexicon.transcript import (
    SUFFIXES,
    TimedWord,
    TranscriptError,
    find_sidecar,
    read_transcript,
    word_times,
)
from mart_mm.registry import LEXICONS, TRANSFORMS


@lru_cache(maxsize=8)
def _lexicon(config: str) -> Lexicon:
    return LEXICONS.build(json.loads(config))


@lru_cache(maxsize=65536)
def _concepts(
    text: str, config: str, language: str, keep_function_words: bool
) -> tuple[ConceptMatch, ...]:
    return tuple(
        find_concepts(
            text, _lexicon(config), language=language, keep_function_words=keep_function_words
        )
    )


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


@TRANSFORMS.register_module()
class FindCues(Transform):
    """Look up the words of each segment: ``texts``, ``cues`` and ``class_has_words``.

    A word belongs to the segment in which its middle lies. Times of words are spread evenly over
    the characters of their line.

    Args:
        lexicon: Config of a lexicon; built once per process.
        mood_map: Arguments of :class:`MoodMap`: ``classes`` and ``table``.
        language: Of the lemmas.
        keep_function_words: Whether words of grammar alone can be cues.

    Raises:
        ValueError: For an unknown mood, class or language, with the valid names.
    """

    def __init__(
        self,
        *,
        lexicon: dict,
        mood_map: dict,
        language: str = 'en',
        keep_function_words: bool = False,
    ) -> None:
        check_language(language)
        self._config = json.dumps(lexicon, sort_keys=True)
        self.mood_map = MoodMap(**mood_map)
        self.language, self.keep_function_words = language, keep_function_words

    def transform(self, results: dict) -> dict:
        """Find."""
        words = [word for line in results['transcript'] for word in word_times(line)]
        results['texts'], results['cues'] = [], []
        for start, end in results['segment_times']:
            inside = [word for word in words if start <= (word.start + word.end) / 2 < end]
            text, cues = self._cues(inside)
            results['texts'].append(text)
            results['cues'].append(cues)
        results['class_has_words'] = self.mood_map.has_words
        return results

    def _cues(self, words: list[TimedWord]) -> tuple[str, list[dict]]:
        if not words:
            return '', []
        text = ' '.join(word.text for word in words)
        bounds = np.cumsum([0] + [len(word.text) + 1 for word in words])
        cues = []
        matches = _concepts(text, self._config, self.language, self.keep_function_words)
        for match in matches:
            ends = [match.span[0], match.span[1] - 1]
            first, last = np.searchsorted(bounds, ends, side='right') - 1
            cues.append(
                dict(
                    word=match.word,
                    concept=match.entry.concept,
                    start=words[first].start,
                    end=words[last].end,
                    span=match.span,
                    polarity=match.entry.polarity,
                    emotion_class=self.mood_map.emotion_class(match.entry),
                    degrees=self.mood_map.degrees(match.entry).tolist(),
                    affect=affect_vector(match.entry).tolist(),
                )
            )
        return text, cues
