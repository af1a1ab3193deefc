"""Counts of one kind of name by another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from mart_mm.visualization.style import finish, ink


def draw_heat_map(
    counts: Sequence[Sequence[int]],
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    row_label: str,
    column_label: str,
) -> Figure:
    """Draw counts, coloured by the share of the row.

    Args:
        counts: (rows, columns).
        rows: Names.
        columns: Names.
        title: Above the picture.
        row_label: What the rows are.
        column_label: What the columns are.
    """
    matrix = np.asarray(counts)
    share = matrix / matrix.sum(1, keepdims=True).clip(1)
    size = (2.6 + 0.75 * len(columns), 1.8 + 0.5 * len(rows))
    figure = Figure(figsize=size, layout='constrained')
    axes = figure.subplots()
    image = axes.imshow(
        share, cmap='Blues', vmin=0, vmax=max(float(share.max()), 1e-9), aspect='auto'
    )
    for (row, column), count in np.ndenumerate(matrix):
        colour = ink(image.cmap(image.norm(share[row, column]))[:3])
        axes.text(column, row, f'{count}', ha='center', va='center', color=colour, size=9)
    axes.set_xticks(range(len(columns)), columns, rotation=35, ha='right', rotation_mode='anchor')
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xlabel(column_label)
    axes.set_ylabel(row_label)
    axes.set_title(title, size=11)
    figure.colorbar(image, ax=axes, label='share of the row')
    return finish(figure)
