"""Text that flows into a box, some of its words marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from mart_mm.visualization.style import DROPPED_COLOUR, ink
from mart_mm.visualization.text import text_width

_POINTS = 72  # per inch
_PAD = 0.04  # inches around a marked word


@dataclass
class Piece:
    """A word, or several that belong together.

    Attributes:
        text: As shown.
        below: Small text below it.
        colour: Of its mark; empty for a plain word.
        is_struck: Whether it is greyed and crossed out.
    """

    text: str
    below: str = ''
    colour: str = ''
    is_struck: bool = False

    @property
    def is_marked(self) -> bool:
        """Whether it needs room beside it."""
        return bool(self.colour) or self.is_struck


@dataclass
class FlowingText:
    """Pieces with their places.

    Attributes:
        placed: (piece, left, top) in inches.
        height: Inches of all lines.
        font: Points.
        left_out: Words that did not fit.
    """

    placed: list[tuple[Piece, float, float]]
    height: float
    font: float
    left_out: int = 0

    def draw(self, axes: Axes, width: float, height: float) -> None:
        """Write into axes of this size in inches."""
        axes.set_axis_off()
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        for piece, left, top in self.placed:
            self._draw_piece(axes, piece, left, top + 0.05)

    def _draw_piece(self, axes: Axes, piece: Piece, left: float, top: float) -> None:
        mark = dict(facecolor=piece.colour, edgecolor='none', pad=1.5) if piece.colour else None
        start = left + (_PAD if piece.is_marked else 0)
        colour = DROPPED_COLOUR if piece.is_struck else ink(piece.colour or 'white')
        axes.text(
            start, top, piece.text, va='top', size=self.font, color=colour, bbox=mark,
            parse_math=False,
        )  # fmt: skip
        if piece.is_struck:
            middle = top + 0.62 * self.font / _POINTS  # of the small letters
            end = start + text_width(piece.text, self.font)
            axes.plot([start, end], [middle, middle], color='#333333', linewidth=0.9)
        if piece.below:
            axes.text(
                left + _PAD, top + 1.5 * self.font / _POINTS, piece.below, va='top',
                size=_small(self.font), color='#333333', parse_math=False,
            )  # fmt: skip


def flow(pieces: Sequence[Piece], width: float, font: float, max_lines: int) -> FlowingText:
    """Break pieces into lines.

    Args:
        pieces: In order.
        width: Inches.
        font: Points.
        max_lines: What does not fit into so many is left out; its words are counted at the end.
    """
    blank = text_width('n', font)
    placed: list[tuple[Piece, float, float]] = []
    left, top, num_lines = 0.0, 0.0, 1
    height = _line_height(pieces, font)
    for number, piece in enumerate(pieces):
        extent = text_width(piece.text, font) + (2 * _PAD if piece.is_marked else 0)
        if piece.below:
            extent = max(extent, text_width(piece.below, _small(font)) + 2 * _PAD)
        if left and left + extent > width:
            if num_lines == max_lines:
                left_out = sum(len(rest.text.split()) for rest in pieces[number:])
                placed.append((Piece(f'... and {left_out} more words'), 0.0, top + height))
                return FlowingText(placed, top + 2 * height, font, left_out)
            left, top, num_lines = 0.0, top + height, num_lines + 1
        placed.append((piece, left, top))
        left += extent + blank
    return FlowingText(placed, top + height, font)


def _line_height(pieces: Sequence[Piece], font: float) -> float:
    has_marks = any(piece.below for piece in pieces)
    return (3.3 if has_marks else 1.6) * font / _POINTS


def _small(font: float) -> float:
    return 0.8 * font
