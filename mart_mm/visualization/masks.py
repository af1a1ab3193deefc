"""What is hidden from the encoder as training proceeds (paper Fig. 4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from mart_mm.visualization.style import CLASS_COLOURS, finish
from mart_mm.visualization.text import text_width, wrap

_FRAME, _FONT = 1.8, 9
_BOX_COLOUR, _REVEALED_COLOUR = CLASS_COLOURS[0], '#F0E442'
#: of hidden patches, and how much of it lies on them; dark pictures are not blue
_SHADE, _SHADE_SHARE = np.array([0, 45, 120]), 0.75


def draw_masks(
    frames: np.ndarray,
    masks: dict[str, np.ndarray],
    labels: Sequence[str],
    boxes: Sequence[Sequence[Sequence[float]]] | None = None,
    revealed: dict[str, np.ndarray] | None = None,
    title: str = '',
) -> Figure:
    """Draw one frame per segment, plain and under each mask.

    Args:
        frames: uint8 (S, H, W, 3), one frame of each segment.
        masks: Bool (S, h, w) by name of the row, True where a patch is hidden.
        labels: Text above each segment.
        boxes: Per segment, (left, top, right, bottom) as shares of the picture, drawn as frames:
            what is planted.
        revealed: Bool (S, h, w) by name of a row: patches left visible as hints, drawn as frames.
        title: Above the picture.
    """
    count, revealed = len(frames), revealed or {}
    rows = ['frame', *masks]
    names = ['\n'.join(wrap(name, _FRAME, _FONT)) for name in rows]
    named = max(text_width(line, _FONT) for name in names for line in name.split('\n'))
    size = ((_FRAME + 0.08) * count + named + 0.3, (_FRAME + 0.1) * len(rows) + 1.0)
    figure = Figure(figsize=size, layout='compressed')
    panels = figure.subplots(len(rows), count, squeeze=False)
    for row, name in enumerate(rows):
        for s in range(count):
            axes = panels[row, s]
            axes.imshow(hide_patches(frames[s], masks[name][s]) if row else frames[s])
            axes.set_xticks([])
            axes.set_yticks([])
            if row == 0:
                axes.set_title('\n'.join(wrap(labels[s], _FRAME, _FONT)), fontsize=_FONT)
            if name in revealed:
                _frame_patches(axes, revealed[name][s], frames.shape[1:3])
            if boxes:
                frame_boxes(axes, boxes[s], frames.shape[1:3])
        panels[row, 0].set_ylabel(
            names[row], fontsize=_FONT, rotation=0, ha='right', va='center', ma='right'
        )
    handles = [Patch(facecolor=tuple(_SHADE / 255), label='hidden')]
    if revealed:
        handles.append(Patch(fill=False, edgecolor=_REVEALED_COLOUR, lw=2, label='left as a hint'))
    if boxes:
        handles.append(Patch(fill=False, edgecolor=_BOX_COLOUR, lw=2, label='planted'))
    figure.legend(
        handles=handles, loc='outside lower center', ncols=3, fontsize=_FONT, frameon=False
    )
    if title:
        figure.suptitle('\n'.join(wrap(title, size[0] - 0.2, 11)), fontsize=11)
    return finish(figure)


def hide_patches(frame: np.ndarray, is_masked: np.ndarray) -> np.ndarray:
    """Lay a blue shade on hidden patches, as the paper does.

    Args:
        frame: uint8 (H, W, 3).
        is_masked: Bool (h, w).
    """
    height, width = frame.shape[:2]
    rows = np.arange(height) * is_masked.shape[0] // height
    columns = np.arange(width) * is_masked.shape[1] // width
    hidden = is_masked[rows[:, None], columns[None]]
    shaded = (1 - _SHADE_SHARE) * frame + _SHADE_SHARE * _SHADE
    return np.where(hidden[..., None], shaded.astype(np.uint8), frame)


def frame_boxes(axes: Axes, boxes: Sequence[Sequence[float]], shape: tuple[int, int]) -> None:
    """Draw frames around planted regions.

    Args:
        axes: With a picture.
        boxes: (left, top, right, bottom) as shares of the picture.
        shape: (H, W) of the picture.
    """
    height, width = shape
    for left, top, right, bottom in boxes:
        corner = (left * width - 0.5, top * height - 0.5)
        extent = ((right - left) * width, (bottom - top) * height)
        axes.add_patch(
            Rectangle(corner, *extent, fill=False, edgecolor=_BOX_COLOUR, lw=2, clip_on=False)
        )


def _frame_patches(axes: Axes, chosen: np.ndarray, shape: tuple[int, int]) -> None:
    height, width = shape[0] / chosen.shape[0], shape[1] / chosen.shape[1]
    for row, column in np.argwhere(chosen):
        corner = (column * width - 0.5, row * height - 0.5)
        axes.add_patch(
            Rectangle(corner, width, height, fill=False, edgecolor=_REVEALED_COLOUR, lw=1.8)
        )
