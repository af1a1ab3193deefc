"""The contract of an affective lexicon."""

from __future__ import annotations

import math
import unicodedata
from abc import ABC, abstractmethod
from typing import NamedTuple


class LexiconEntry(NamedTuple):
    """What a lexicon says about a concept.

    Attributes:
        concept: One to a few words, lower case, separated by blanks.
        polarity: -1, 0 or 1.
        value: Polarity value in [-1, 1].
        moods: Mood tags without ``#``, the primary one first.
        degrees: Degree in [0, 1] of each mood that has one.
    """

    concept: str
    polarity: int
    value: float
    moods: tuple[str, ...]
    degrees: dict[str, float]


class Lexicon(ABC):
    """Words and short concepts with their affect.

    A lexicon that can be iterated, which gives its concepts, is searched faster.

    Attributes:
        max_words: Words of the longest concept that is worth looking up.
        digest: Hash of the source, to tell in a run's record which lexicon it used.
    """

    max_words: int = 4
    digest: str

    @abstractmethod
    def lookup(self, concept: str) -> LexiconEntry | None:
        """The entry of a concept in any spelling that :func:`normalise_concept` unites, or None."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of concepts."""

    def __contains__(self, concept: str) -> bool:
        """Whether the lexicon has the concept."""
        return self.lookup(concept) is not None


def normalise_concept(text: str) -> str:
    """Lower case, words separated by one blank; ``_`` and ``-`` separate words.

    Accents are composed (NFC) and apostrophes made plain, so that one word has one form.
    """
    plain = unicodedata.normalize('NFC', text.lower()).replace('’', "'")
    return ' '.join(plain.replace('_', ' ').replace('-', ' ').split())


def number_in(value: object, low: float, high: float, field: str) -> float:
    """A finite number of a lexicon's row.

    Args:
        value: A number, or its text.
        low: Smallest accepted.
        high: Largest accepted.
        field: Name of the column, for the error.

    Raises:
        ValueError: When it is no number, or leaves the range.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not low <= number <= high:
        raise ValueError(f'field {field!r} is {value!r}: write a number in [{low:g}, {high:g}]')
    return number


def polarity_of(label: str) -> int:
    """-1, 0 or 1 for ``negative``, ``neutral``, ``positive``.

    Raises:
        ValueError: For another label.
    """
    signs = {'negative': -1, 'neutral': 0, 'positive': 1}
    sign = signs.get(str(label).strip().lower())
    if sign is None:
        raise ValueError(f"field 'polarity' is {label!r}: write negative, neutral or positive")
    return sign
