"""Confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from mart_mm.visualization.style import finish, ink
from mart_mm.visualization.text import text_width, wrap


def draw_confusion(counts: Sequence[Sequence[int]], classes: Sequence[str], title: str) -> Figure:
    """Draw counts, coloured by the share of the row.

    Args:
        counts: (C, C), rows are labels, columns predictions.
        classes: Names.
        title: Above the picture.
    """
    matrix = np.asarray(counts)
    share = matrix / matrix.sum(1, keepdims=True).clip(1)
    names = ['\n'.join(wrap(name, 1.6, 9)) for name in classes]
    # constrained layout makes the room for names, the cells keep theirs
    names_inches = max(text_width(line, 9) for name in names for line in name.split('\n'))
    cells = 0.7 * len(classes)
    figure = Figure(
        figsize=(cells + names_inches + 1.7, cells + names_inches + 1.0), layout='constrained'
    )
    axes = figure.subplots()
    image = axes.imshow(share, cmap='Blues', vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        colour = ink(image.cmap(image.norm(share[row, column]))[:3])
        axes.text(column, row, f'{count}', ha='center', va='center', color=colour, size=9)
    axes.set_xticks(range(len(classes)), names, rotation=90, size=9)
    axes.set_yticks(range(len(classes)), names, size=9)
    axes.set_xlabel('predicted')
    axes.set_ylabel('label')
    axes.set_title('\n'.join(wrap(title, cells + 1, 11)), size=11)
    figure.colorbar(image, ax=axes, label='share of the label', shrink=0.8)
    return finish(figure)
