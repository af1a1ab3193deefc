"""The planted course of an emotion, behind curves of another scale."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from mart_mm.visualization.style import TRUTH_COLOUR

_INK = '#666666'


def draw_truth(axes: Axes, times: np.ndarray, degree: np.ndarray) -> Axes:
    """Draw degrees as grey bars on an axis of their own, 0 to 1, at the right.

    Args:
        axes: With the curves, which stay in front.
        times: (S, 2), start and end of the segments in seconds.
        degree: (S,), in [0, 1].

    Returns:
        The new axes.
    """
    twin = axes.twinx()
    twin.bar(times[:, 0], degree, times[:, 1] - times[:, 0], align='edge', color=TRUTH_COLOUR)
    twin.set_ylim(0, 1.12)
    twin.set_ylabel('planted degree', fontsize=8, color=_INK)
    twin.tick_params(labelsize=8, colors=_INK)
    axes.set_zorder(twin.get_zorder() + 1)
    axes.patch.set_visible(False)
    return twin
