"""Colours and the way figures are finished and saved, one for all pictures."""

from __future__ import annotations

from pathlib import Path

from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from mart_mm.utils.atomic import replacing
from mart_mm.visualization.text import font_families

#: one colour per class, distinguishable with common colour blindness (Okabe and Ito, 2008)
CLASS_COLOURS = (
    '#D55E00', '#009E73', '#56B4E9', '#E69F00', '#0072B2', '#CC79A7', '#000000', '#999999',
)  # fmt: skip
#: so that classes differ without colour, too
CLASS_MARKERS = ('o', 's', '^', 'D', 'v', 'P', 'X', '*')
_LINE_STYLES = ('-', '--', ':', '-.')
#: cues by the verification level they reached: a scale, and no colours of classes
LEVEL_COLOURS = ('#D0D0D0', '#BFB2DE', '#8C72BE', '#4B1D7F')
LEVEL_NAMES = ('lexicon only', 'E1 sentiment', 'E2 emotion', 'E3 degree')
#: cues of a model that verifies none
UNVERIFIED_COLOUR, UNVERIFIED_NAME = '#F0E6B8', 'lexicon, not verified'
#: what is planted; what is dropped
TRUTH_COLOUR, DROPPED_COLOUR = '#DDDDDD', '#8A8A8A'


def class_colour(index: int) -> str:
    """Colour of a class; with more than eight classes they recur."""
    return CLASS_COLOURS[index % len(CLASS_COLOURS)]


def class_marker(index: int) -> str:
    """Marker of a class."""
    return CLASS_MARKERS[index % len(CLASS_MARKERS)]


def class_line(index: int) -> str:
    """Line style of a class: another one where colours recur."""
    return _LINE_STYLES[index // len(CLASS_COLOURS) % len(_LINE_STYLES)]


def level_colour(level: int | None) -> str:
    """Colour of a word that reached a level, or of one that was not verified."""
    return UNVERIFIED_COLOUR if level is None else LEVEL_COLOURS[level]


def level_name(level: int | None) -> str:
    """Name of a level, or of none."""
    return UNVERIFIED_NAME if level is None else LEVEL_NAMES[level]


def ink(paper: str) -> str:
    """Black or white, whichever has the higher contrast (WCAG 2) on a colour."""
    linear = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in to_rgb(paper))
    luminance = sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 'black' if (luminance + 0.05) ** 2 > 1.05 * 0.05 else 'white'


def finish(figure: Figure) -> Figure:
    """Give all text of a figure fonts for its scripts, and take dollar signs for what they are."""
    for text in figure.findobj(Text):
        text.set_fontfamily(font_families())
        text.set_parse_math(False)
    return figure


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure, whole or not at all, creating its folder; the format follows from the suffix."""
    path = Path(path)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120, bbox_inches='tight')
    return path
