"""Panels above each other, measured in inches: text that is placed beforehand fits as it was measured."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mart_mm.visualization.text import wrap

TITLE_FONT, NOTE_FONT = 11, 8.5
_TITLE_LINE, _NOTE_LINE, _EDGE = 0.21, 0.165, 0.1


def stacked(
    heights: Sequence[float],
    width: float,
    *,
    left: float,
    right: float,
    bottom: float,
    gap: float,
    title: str,
    notes: Sequence[str] = (),
) -> tuple[Figure, list[Axes]]:
    """A figure with a title, lines of notes, and panels of one width below them.

    Args:
        heights: Of the panels, from the top, in inches.
        width: Of the panels.
        left: Space left of them.
        right: Space right of them.
        bottom: Space below the last one.
        gap: Space between two panels.
        title: First line, wrapped where it is too long.
        notes: Smaller lines below it, wrapped likewise.
    """
    room = left + width + right - 2 * _EDGE
    titles = wrap(title, 0.9 * room, TITLE_FONT)  # bold is wider
    lines = [line for note in notes for line in wrap(note, room, NOTE_FONT)]
    head = 2 * _EDGE + _TITLE_LINE * len(titles) + _NOTE_LINE * len(lines)
    size = left + width + right, head + sum(heights) + gap * (len(heights) - 1) + bottom
    figure = Figure(figsize=size)
    figure.text(
        _EDGE / size[0], 1 - _EDGE / size[1], '\n'.join(titles), va='top', size=TITLE_FONT,
        weight='bold',
    )  # fmt: skip
    for number, line in enumerate(lines):
        below = _EDGE + _TITLE_LINE * len(titles) + _NOTE_LINE * number
        figure.text(_EDGE / size[0], 1 - below / size[1], line, va='top', size=NOTE_FONT)
    panels, top = [], head
    for height in heights:
        box = left, size[1] - top - height, width, height
        panels.append(figure.add_axes([v / size[i % 2] for i, v in enumerate(box)]))
        top += height + gap
    return figure, panels
