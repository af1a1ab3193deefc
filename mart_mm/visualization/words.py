"""Text that flows into a box, some of its words marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from matplotlib.colors import to_rgb
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

_POINTS = 72  # per inch
_PAD = 0.04  # inches around a marked word


@dataclass
class Piece:
    """A word, or several that belong together.

    Attributes:
        text: As shown.
        below: Small text below it.
        colour: Of its mark; empty for a plain word.
    """

    text: str
    below: str = ''
    colour: str = ''


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

    def draw(self, axes: object, width: float, height: float) -> None:
        """Write into axes of this size in inches."""
        axes.set_axis_off()
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        for piece, left, top in self.placed:
            mark = dict(facecolor=piece.colour, edgecolor='none', pad=1.5) if piece.colour else None
            axes.text(
                left + (_PAD if piece.colour else 0), top + 0.05, piece.text, va='top',
                size=self.font, color=_ink(piece.colour), bbox=mark,
                parse_math=False,
            )  # fmt: skip
            if piece.below:
                axes.text(
                    left + _PAD, top + 0.05 + 1.5 * self.font / _POINTS, piece.below, va='top',
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
        extent = text_width(piece.text, font) + (2 * _PAD if piece.colour else 0)
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


def _ink(paper: str) -> str:
    """Black or white, whichever is read better on a colour."""
    red, green, blue = to_rgb(paper or 'white')
    return 'white' if 0.299 * red + 0.587 * green + 0.114 * blue < 0.55 else 'black'


def _small(font: float) -> float:
    return 0.8 * font


@lru_cache(maxsize=65536)
def text_width(text: str, font: float) -> float:
    """Inches of a text in the default font."""
    properties = FontProperties(size=font)
    return text_to_path.get_text_width_height_descent(text, properties, False)[0] / _POINTS
