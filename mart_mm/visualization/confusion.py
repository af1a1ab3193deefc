"""Confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure


def draw_confusion(counts: Sequence[Sequence[int]], classes: Sequence[str], title: str) -> Figure:
    """Draw counts, coloured by the share of the row.

    Args:
        counts: (C, C), rows are labels, columns predictions.
        classes: Names.
        title: Above the picture.
    """
    matrix = np.asarray(counts)
    share = matrix / matrix.sum(1, keepdims=True).clip(1)
    figure = Figure(figsize=(1.6 + 0.75 * len(classes), 1.3 + 0.7 * len(classes)))
    axes = figure.subplots()
    image = axes.imshow(share, cmap='Blues', vmin=0, vmax=1)
    for row in range(len(classes)):
        for column in range(len(classes)):
            colour = 'white' if share[row, column] > 0.5 else 'black'
            axes.text(column, row, str(matrix[row, column]), ha='center', va='center', color=colour)
    axes.set_xticks(range(len(classes)), classes, rotation=35, ha='right')
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel('predicted')
    axes.set_ylabel('label')
    axes.set_title(title)
    figure.colorbar(image, ax=axes, label='share of the label', shrink=0.8)
    return figure
