"""Which of the words said in each segment the lexicon knows."""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np

from mart_mm.datasets.transforms.base import Transform
from mart_mm.lexicon.affect import affect_vector
from mart_mm.lexicon.base import Lexicon
from mart_mm.lexicon.matching import ConceptMatch, check_language, find_concepts
from mart_mm.lexicon.mood_map import MoodMap
from mart_mm.lexicon.transcript import TimedWord, word_times
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
class FindCues(Transform):
    """Look up the words of each segment: ``texts``, ``cues`` and ``class_has_words``.

    A word belongs to the segment in which its middle lies. Times of words are spread evenly over
    the characters of their line. Which mood speaks for which class is the data set's own knowledge:
    the record brings it (``mood_map``).

    Args:
        lexicon: Config of a lexicon; built once per process.
        language: Of the lemmas.
        keep_function_words: Whether words of grammar alone can be cues.

    Raises:
        ValueError: For an unknown language, with the accepted ones.
    """

    def __init__(
        self,
        *,
        lexicon: dict,
        language: str = 'en',
        keep_function_words: bool = False,
    ) -> None:
        check_language(language)
        self._config = json.dumps(lexicon, sort_keys=True)
        self.language, self.keep_function_words = language, keep_function_words

    def transform(self, results: dict) -> dict:
        """Find."""
        mood_map: MoodMap = results['mood_map']
        words = [word for line in results['transcript'] for word in word_times(line)]
        results['texts'], results['cues'] = [], []
        for start, end in results['segment_times']:
            inside = [word for word in words if start <= (word.start + word.end) / 2 < end]
            text, cues = self._cues(inside, mood_map)
            results['texts'].append(text)
            results['cues'].append(cues)
        results['class_has_words'] = mood_map.has_words
        return results

    def _cues(self, words: list[TimedWord], mood_map: MoodMap) -> tuple[str, list[dict]]:
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
                    emotion_class=mood_map.emotion_class(match.entry),
                    degrees=mood_map.degrees(match.entry).tolist(),
                    affect=affect_vector(match.entry).tolist(),
                )
            )
        return text, cues
