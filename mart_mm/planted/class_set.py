"""The classes of a data set and what stands for each in picture, sound and words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mart_mm.lexicon.mood_map import MoodMap

#: names of the textures and sounds, which render_visual.py and render_audio.py index, and of the
#: word lists in word_bank.py
LOOKS = ('anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise', 'anticipation', 'trust')
#: mood whose positive words accompany a class that no mood speaks for
STAND_IN_MOOD = {'surprise': 'eagerness'}


class ClassSet(NamedTuple):
    """Classes in the data set's order.

    Attributes:
        names: Of the classes.
        polarity: -1, 0 or 1 of each class.
        mood_table: Class of each mood of the lexicon.
        looks: Index in :data:`LOOKS` of each class's texture and sound, None: nothing is planted.
        word_lists: Names in :data:`LOOKS` of the lists each class takes its words from.
    """

    names: tuple[str, ...]
    polarity: tuple[int, ...]
    mood_table: dict[str, str]
    looks: tuple[int | None, ...]
    word_lists: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, metainfo: Mapping, looks: Mapping[str, tuple[str, ...]]) -> ClassSet:
        """Classes of a data set.

        Args:
            metainfo: ``classes``, ``polarity`` and ``mood_table`` of the data set's class.
            looks: Names in :data:`LOOKS` for each class: the first is its texture and sound, all of
                them are its word lists; a class left out plants nothing.
        """
        lists = tuple(tuple(looks.get(name, ())) for name in metainfo['classes'])
        return cls(
            tuple(metainfo['classes']),
            tuple(metainfo['polarity']),
            dict(metainfo['mood_table']),
            tuple(LOOKS.index(names[0]) if names else None for names in lists),
            lists,
        )

    @property
    def mood_map(self) -> MoodMap:
        """Which mood speaks for which class."""
        return MoodMap(self.names, self.mood_table)

    def is_named(self, index: int) -> bool:
        """Whether a mood of the lexicon speaks for a class."""
        return self.names[index] in self.mood_table.values()

    def stand_in(self, index: int) -> str | None:
        """Mood whose words accompany a class that no mood speaks for, where there is one."""
        lists = self.word_lists[index]
        return None if self.is_named(index) or not lists else STAND_IN_MOOD.get(lists[0])
