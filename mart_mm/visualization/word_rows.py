"""Words below a time axis, each at its time, none on another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mart_mm.visualization.text import shorten, text_width

_PAD, _GAP = 0.04, 0.05  # inches beside a word, and between two
_WIDEST = 2.2


@dataclass(frozen=True)
class PlacedWord:
    """A word that has found room.

    Attributes:
        index: Among those given.
        text: As written; long phrases are cut.
        row: From the top.
        centre: Inches from the left; that of its time, or nearest to it where the word would leave the
            panel.
    """

    index: int
    text: str
    row: int
    centre: float


def place_words(
    cues: Sequence[Mapping],
    span: tuple[float, float],
    width: float,
    *,
    font: float,
    max_rows: int,
) -> list[PlacedWord]:
    """Place words in rows; where there is no room for all, the higher levels go first.

    Within a level the stronger words go first (``weight``), then the earlier ones.

    Args:
        cues: With ``start`` and ``end`` in seconds, ``level`` (None: not verified), ``label``, and
            optionally ``weight``.
        span: First and last second of the panel.
        width: Inches of the panel.
        font: Points.
        max_rows: Rows there may be.

    Returns:
        Those that have room, in the order of the cues.
    """
    per_second = width / (span[1] - span[0])
    taken: list[list[tuple[float, float]]] = [[] for _ in range(max_rows)]
    placed = []
    for index in sorted(range(len(cues)), key=lambda index: _order(cues[index])):
        cue = cues[index]
        text = shorten(cue['label'], min(_WIDEST, width - 2 * _PAD), font)
        half = text_width(text, font) / 2 + _PAD
        centre = ((cue['start'] + cue['end']) / 2 - span[0]) * per_second
        centre = min(max(centre, half), width - half)
        low, high = centre - half - _GAP / 2, centre + half + _GAP / 2
        for row, others in enumerate(taken):
            if all(high <= start or stop <= low for start, stop in others):
                others.append((low, high))
                placed.append(PlacedWord(index, text, row, centre))
                break
    return sorted(placed, key=lambda word: word.index)


def _order(cue: Mapping) -> tuple[float, ...]:
    return -(cue['level'] or 0), -cue.get('weight', 0.0), cue['start']


def count_by_level(cues: Sequence[Mapping], placed: Sequence[PlacedWord]) -> dict:
    """By level, highest first: how many words are written, and how many there are."""
    written = [cues[word.index]['level'] for word in placed]
    levels = sorted({cue['level'] for cue in cues}, key=lambda level: -(level or 0))
    total = [cue['level'] for cue in cues]
    return {level: (written.count(level), total.count(level)) for level in levels}
