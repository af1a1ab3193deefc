"""What is hidden from the encoder as training proceeds (paper Fig. 4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle


def draw_masks(
    frames: np.ndarray,
    masks: dict[str, np.ndarray],
    labels: Sequence[str],
    boxes: Sequence[Sequence[Sequence[float]]] | None = None,
) -> Figure:
    """Draw one frame per segment, plain and under each mask.

    Args:
        frames: uint8 (S, H, W, 3), one frame of each segment.
        masks: Bool (S, h, w) by name of the row, True where a patch is hidden.
        labels: Text above each segment.
        boxes: Per segment, (left, top, right, bottom) as shares of the picture, drawn as frames.
    """
    count = len(frames)
    rows = ['frame', *masks]
    figure = Figure(figsize=(1.9 * count + 0.6, 2.0 * len(rows)), layout='constrained')
    panels = figure.subplots(len(rows), count, squeeze=False)
    height, width = frames.shape[1:3]
    for row, name in enumerate(rows):
        for s in range(count):
            axes = panels[row, s]
            axes.imshow(_hide(frames[s], masks[name][s]) if row else frames[s])
            for left, top, right, bottom in boxes[s] if boxes else ():
                corner = (left * width - 0.5, top * height - 0.5)
                extent = ((right - left) * width, (bottom - top) * height)
                axes.add_patch(Rectangle(corner, *extent, fill=False, edgecolor='#D55E00', lw=2))
            axes.set_xticks([])
            axes.set_yticks([])
            if row == 0:
                axes.set_title(labels[s], fontsize=9)
        panels[row, 0].set_ylabel(name, fontsize=9)
    return figure


def _hide(frame: np.ndarray, is_masked: np.ndarray) -> np.ndarray:
    """Darken the hidden patches."""
    height, width = frame.shape[:2]
    rows = np.arange(height) * is_masked.shape[0] // height
    columns = np.arange(width) * is_masked.shape[1] // width
    hidden = is_masked[rows[:, None], columns[None]]
    return np.where(hidden[..., None], (0.15 * frame).astype(np.uint8), frame)
