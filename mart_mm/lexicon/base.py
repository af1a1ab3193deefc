"""The contract of an affective lexicon."""

from __future__ import annotations

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

    Attributes:
        max_words: Words of the longest concept that is worth looking up.
        digest: Hash of the source, to tell in a run's record which lexicon it used.
    """

    max_words: int = 4
    digest: str

    @abstractmethod
    def lookup(self, concept: str) -> LexiconEntry | None:
        """The entry of a concept (normalised by :func:`normalise_concept`), or None."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of concepts."""

    def __contains__(self, concept: str) -> bool:
        """Whether the lexicon has the concept."""
        return self.lookup(concept) is not None


def normalise_concept(text: str) -> str:
    """Lower case, words separated by one blank; ``_`` and ``-`` separate words."""
    return ' '.join(text.lower().replace('_', ' ').replace('-', ' ').split())


def polarity_of(label: str) -> int:
    """-1, 0 or 1 for ``negative``, ``neutral``, ``positive``.

    Raises:
        ValueError: For another label.
    """
    signs = {'negative': -1, 'neutral': 0, 'positive': 1}
    try:
        return signs[label.strip().lower()]
    except KeyError:
        raise ValueError(f'polarity {label!r}: write negative, neutral or positive') from None
