"""Features in the plane by t-SNE (paper Fig. 6c)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mart_mm.visualization.style import class_colour, class_marker, finish
from mart_mm.visualization.text import wrap

_PANEL, _FONT, _COLUMNS = 4.2, 9, 3


def embed(features: np.ndarray, *, perplexity: float = 30.0, seed: int = 0) -> np.ndarray:
    """Places of features in the plane, by scikit-learn's t-SNE from a start by PCA.

    Args:
        features: (n, D), finite.
        perplexity: Neighbours that count, less than n; see :func:`usable_perplexity`.
        seed: Of its randomness.

    Returns:
        float (n, 2); distances between far points and axes have no meaning.

    Raises:
        ValueError: For fewer than three rows, a perplexity of n or more, or features not finite.
    """
    from sklearn.manifold import TSNE  # heavy

    features = np.asarray(features, dtype=np.float64)
    if features.ndim != 2 or len(features) < 3:
        raise ValueError(f't-SNE needs (n, D) features of 3 videos or more, got {features.shape}')
    if not 0 < perplexity < len(features):
        raise ValueError(
            f'perplexity={perplexity}: give a positive number below the {len(features)} videos'
        )
    model = TSNE(
        n_components=2, perplexity=perplexity, init='pca', learning_rate='auto', random_state=seed
    )
    return model.fit_transform(features)


def usable_perplexity(count: int) -> float:
    """scikit-learn's 30, or a third of the videos where there are few, as its guide advises."""
    return float(max(1.0, min(30.0, (count - 1) / 3)))


def draw_embedding(
    panels: Mapping[str, tuple[np.ndarray, np.ndarray]], classes: Sequence[str], title: str
) -> Figure:
    """Draw points in the colour and with the marker of their class, in a panel per set of features.

    Args:
        panels: Points (n, 2) and their classes, int (n,), by the panel's name.
        classes: Names of the classes.
        title: Above the picture.
    """
    count = len(panels)
    columns = count if count <= _COLUMNS else min(_COLUMNS, math.ceil(math.sqrt(count)))
    rows = -(-count // columns)
    size = (_PANEL * columns + 2.2, (_PANEL + 0.3) * rows + 0.7)
    figure = Figure(figsize=size, layout='constrained')
    shown = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in shown[count:]:
        axes.remove()
    for axes, (name, (points, labels)) in zip(shown, panels.items(), strict=False):
        for index in range(len(classes)):
            chosen = points[np.asarray(labels) == index]
            axes.scatter(
                *chosen.T, s=36, color=class_colour(index), marker=class_marker(index),
                edgecolors='white', linewidths=0.3, alpha=0.9,
            )  # fmt: skip
        axes.set_title('\n'.join(wrap(name, _PANEL - 0.2, _FONT)), fontsize=_FONT)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_box_aspect(1)
    handles = [
        Line2D(
            [], [], color=class_colour(index), marker=class_marker(index), linestyle='',
            label='\n'.join(wrap(name, 1.6, _FONT)),
        )
        for index, name in enumerate(classes)
    ]  # fmt: skip
    figure.legend(handles=handles, loc='outside right center', fontsize=_FONT, frameon=False)
    figure.suptitle('\n'.join(wrap(title, size[0] - 0.3, 11)), fontsize=11)
    return finish(figure)
