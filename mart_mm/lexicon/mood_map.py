"""From the lexicon's moods to a data set's emotion classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mart_mm.errors import unknown_name
from mart_mm.lexicon.affect import MOODS
from mart_mm.lexicon.base import LexiconEntry


class MoodMap:
    """Which mood speaks for which class; a table in the data set's config.

    Args:
        classes: Emotion classes in the data set's order.
        table: Class of each mood; None, or no line, for a mood that speaks for no class.
        moods: Names a mood may have; default: those of SenticNet.

    Raises:
        ValueError: For an unknown mood or class, with the nearest valid names.
    """

    def __init__(
        self,
        classes: Sequence[str],
        table: Mapping[str, str | None],
        moods: Sequence[str] = MOODS,
    ) -> None:
        self.classes = list(classes)
        self._index: dict[str, int] = {}
        for mood, name in table.items():
            if mood not in moods:
                raise ValueError(f'mood table: {unknown_name("mood", mood, moods)}')
            if name is None:
                continue
            if name not in self.classes:
                raise ValueError(
                    f'mood table, {mood!r}: {unknown_name("emotion class", name, self.classes)}'
                )
            self._index[mood] = self.classes.index(name)
        self.has_words = np.zeros(len(self.classes), dtype=bool)
        self.has_words[list(self._index.values())] = True

    def emotion_class(self, entry: LexiconEntry) -> int:
        """Class of the entry's first mood that has one, or -1."""
        return next((self._index[mood] for mood in entry.moods if mood in self._index), -1)

    def degrees(self, entry: LexiconEntry) -> np.ndarray:
        """Degree of each class, float32 (C,): the largest among its moods."""
        degrees = np.zeros(len(self.classes), dtype=np.float32)
        for mood, degree in entry.degrees.items():
            if mood in self._index:
                index = self._index[mood]
                degrees[index] = max(degrees[index], degree)
        return degrees
