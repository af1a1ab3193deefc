from __future__ import annotations

import numpy as np
import pytest

from mart_mm.lexicon.base import LexiconEntry
from mart_mm.lexicon.mood_map import MoodMap

CLASSES = ['anger', 'fear', 'joy', 'surprise']
TABLE = dict(anger='anger', fear='fear', joy='joy', eagerness='joy', calmness=None)


def entry(*moods: str, **degrees: float) -> LexiconEntry:
    return LexiconEntry('x', 1, 0.5, moods, degrees)


def test_first_mapped_mood_names_the_class() -> None:
    table = MoodMap(CLASSES, TABLE)
    assert table.emotion_class(entry('joy', 'anger')) == 2
    assert table.emotion_class(entry('calmness', 'fear')) == 1  # calmness speaks for none
    assert table.emotion_class(entry('disgust', 'eagerness')) == 2  # disgust has no line
    assert table.emotion_class(entry('calmness')) == -1
    assert table.emotion_class(entry()) == -1


def test_degree_of_a_class_is_the_largest_of_its_moods() -> None:
    table = MoodMap(CLASSES, TABLE)
    for moods in (dict(joy=0.3, eagerness=0.8), dict(eagerness=0.8, joy=0.3)):
        degrees = table.degrees(entry('joy', fear=0.1, calmness=1.0, **moods))
        assert degrees.dtype == np.float32
        np.testing.assert_allclose(degrees, [0, 0.1, 0.8, 0])


def test_classes_that_have_words() -> None:
    assert MoodMap(CLASSES, TABLE).has_words.tolist() == [True, True, True, False]
    assert MoodMap(CLASSES, {}).has_words.tolist() == [False] * 4


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="unknown mood 'angr'.*'anger'"):
        MoodMap(CLASSES, dict(angr='anger'))
    with pytest.raises(ValueError, match="'joy'.*unknown emotion class 'surprize'.*'surprise'"):
        MoodMap(CLASSES, dict(joy='surprize'))


def test_moods_of_another_lexicon() -> None:
    table = MoodMap(CLASSES, dict(rage='anger'), moods=['rage', 'bliss'])
    assert table.emotion_class(entry('bliss', 'rage')) == 0
