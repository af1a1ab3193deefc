"""Colours and the way figures are saved, one for all pictures."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

#: one colour per class, distinguishable with common colour blindness (Okabe and Ito, 2008)
CLASS_COLOURS = (
    '#D55E00', '#009E73', '#56B4E9', '#E69F00', '#0072B2', '#CC79A7', '#000000', '#999999',
)  # fmt: skip
#: cues by the verification level they reached
LEVEL_COLOURS = ('#B0B0B0', '#E69F00', '#56B4E9', '#009E73')
LEVEL_NAMES = ('lexicon only', 'E1 sentiment', 'E2 emotion', 'E3 degree')


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure, creating its folder; the format follows from the suffix."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120, bbox_inches='tight')
    return path
