"""Which of the words said in each segment the lexicon knows."""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np
import simplemma

from mart_mm.datasets.cache import FileCache, cache_key
from mart_mm.datasets.transforms.base import Transform
from mart_mm.lexicon.affect import affect_vector
from mart_mm.lexicon.base import Lexicon
from mart_mm.lexicon.concept_tree import ConceptTree
from mart_mm.lexicon.matching import check_language, find_concepts
from mart_mm.lexicon.mood_map import MoodMap
from mart_mm.lexicon.packed import PackedLexicon
from mart_mm.lexicon.transcript import TimedWord, word_times
from mart_mm.registry import LEXICONS, TRANSFORMS
from mart_mm.utils.code_version import code_version


def packed_in(folder: str | None, lexicon: dict) -> dict:
    """Config of a lexicon whose packed form, if it has one, is kept in a folder.

    Args:
        folder: None leaves it to the lexicon, as does a config that names another folder.
        lexicon: The config.
    """
    kind = LEXICONS.get(lexicon['type'])
    if isinstance(kind, type) and issubclass(kind, PackedLexicon):
        return dict(folder=folder) | lexicon
    return lexicon


@lru_cache(maxsize=8)
def _lexicon(config: str, folder: str | None) -> Lexicon:
    return LEXICONS.build(packed_in(folder, json.loads(config)))


@TRANSFORMS.register_module()
class FindCues(Transform):
    """Look up the words of each segment: ``texts``, ``cues`` and ``class_has_words``.

    A word belongs to the segment in which its middle lies. Times of words are spread evenly over
    the characters of their line. Which mood speaks for which class is the data set's own knowledge:
    the record brings it (``mood_map``). With a :class:`~mart_mm.datasets.cache.FileCache` in
    ``results['cache']`` the cues are kept there, and the lexicon's packed form in its folder.

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
        results['class_has_words'] = results['mood_map'].has_words
        segments, cache = np.asarray(results['segment_times']).tolist(), results.get('cache')
        if not results['transcript']:
            results['texts'], results['cues'] = [''] * len(segments), [[] for _ in segments]
        elif cache is None:
            results['texts'], results['cues'] = self._find(results, segments)
        else:
            results['texts'], results['cues'] = self._find_once(results, segments, cache)
        return results

    def _find_once(
        self, results: dict, segments: list[list[float]], cache: FileCache
    ) -> tuple[list[str], list[list[dict]]]:
        lexicon = self._lexicon(cache)
        key = cache_key(
            'cues',
            transcript=results['transcript'],
            segments=segments,
            lexicon=[self._config, lexicon.digest],
            language=self.language,
            keep_function_words=self.keep_function_words,
            mood_map=vars(results['mood_map']),
            code=code_version(
                *(FindCues, find_concepts, word_times, affect_vector),
                *(MoodMap, Lexicon, PackedLexicon, ConceptTree, type(lexicon)),
            ),
            libraries=[simplemma.__version__],
        )
        entry = cache.load(key)
        if entry is None:
            texts, cues = self._find(results, segments)
            cache.store(key, dict(texts=texts, cues=cues))
            return texts, cues
        with entry:
            texts, cues = entry.info['texts'], entry.info['cues']
        for cue in (cue for segment in cues for cue in segment):
            cue['span'] = tuple(cue['span'])
        return texts, cues

    def _find(
        self, results: dict, segments: list[list[float]]
    ) -> tuple[list[str], list[list[dict]]]:
        """Text and cues of each segment."""
        lexicon = self._lexicon(results.get('cache'))
        words = [word for line in results['transcript'] for word in word_times(line)]
        texts, cues = [], []
        for start, end in segments:
            inside = [word for word in words if start <= (word.start + word.end) / 2 < end]
            texts.append(' '.join(word.text for word in inside))
            cues.append(self._cues(texts[-1], inside, lexicon, results['mood_map']))
        return texts, cues

    def _lexicon(self, cache: FileCache | None) -> Lexicon:
        return _lexicon(self._config, str(cache.folder) if cache else None)

    def _cues(
        self, text: str, words: list[TimedWord], lexicon: Lexicon, mood_map: MoodMap
    ) -> list[dict]:
        if not words:
            return []
        bounds = np.cumsum([0] + [len(word.text) + 1 for word in words])
        cues = []
        for match in find_concepts(
            text,
            lexicon,
            language=self.language,
            keep_function_words=self.keep_function_words,
        ):
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
        return cues
