"""The recovered emotion distribution against its target, over time (paper Fig. 6b)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mart_mm.visualization.style import TRUTH_COLOUR, class_colour, finish
from mart_mm.visualization.text import wrap
from mart_mm.visualization.truth import draw_truth

_COLUMNS, _WIDTH, _HEIGHT, _FONT = 3, 11.0, 1.9, 9


def draw_recovery(
    times: np.ndarray,
    target: np.ndarray,
    recovered: np.ndarray,
    classes: Sequence[str],
    title: str,
    truth: tuple[int, np.ndarray] | None = None,
    frames: np.ndarray | None = None,
) -> Figure:
    """Draw a small picture per class: what was to be recovered in black, what was in colour.

    All share one scale, which spans what is drawn. The title ends with the mean over segments of
    KL(target || recovered).

    Args:
        times: (S, 2), start and end of the segments in seconds.
        target: (S, C), distributions of the unmasked pass.
        recovered: (S, C), distributions recovered from the masked pass.
        classes: Names of the C classes.
        title: Above the picture.
        truth: Class and its true degree (S,), drawn grey on an axis of its own, 0 to 1.
        frames: uint8 (S, H, W, 3), a frame of each segment as the model saw it, drawn on top.
    """
    columns = min(_COLUMNS, len(classes))
    rows = -(-len(classes) // columns)
    strip = 0.0 if frames is None else _strip_height(frames)
    figure = Figure(figsize=(_WIDTH, _HEIGHT * rows + strip + 0.9), layout='constrained')
    ratios = ([strip] if frames is not None else []) + [_HEIGHT] * rows
    grid = figure.add_gridspec(len(ratios), columns, height_ratios=ratios)
    if frames is not None:
        _show_frames(figure.add_subplot(grid[0, :]), frames, times)
    # distributions of a young model differ by little
    both = np.concatenate([target, recovered])
    low, high = float(both.min()), float(both.max())
    margin = 0.1 * (high - low) or 0.05
    for index, name in enumerate(classes):
        row, column = divmod(index, columns)
        axes = figure.add_subplot(grid[row + (frames is not None), column])
        axes.set_label(name)
        if truth is not None and truth[0] == index:
            draw_truth(axes, times, truth[1])
        _draw_class(axes, times, target[:, index], recovered[:, index], class_colour(index))
        axes.set_title('\n'.join(wrap(name, 3.0, _FONT)), fontsize=_FONT)
        axes.set_ylim(max(-0.02, low - margin), min(1.02, high + margin))
        axes.set_xlim(times[0, 0], times[-1, 1])
        axes.tick_params(labelsize=8)
        if column == 0:
            axes.set_ylabel('probability', fontsize=8)
        if index + columns >= len(classes):
            axes.set_xlabel('seconds', fontsize=8)
    loss = f'KL(target || recovered) {_divergence(target, recovered):.4f} nats'
    figure.suptitle('\n'.join(wrap(f'{title}: {loss}', _WIDTH - 0.3, 11)), fontsize=11)
    _write_legend(figure, truth is not None)
    return finish(figure)


def _divergence(target: np.ndarray, recovered: np.ndarray) -> float:
    """Mean over segments of KL(target || recovered); 0 log 0 is 0."""
    p, q = np.asarray(target, float), np.asarray(recovered, float)
    terms = np.where(p > 0, p * np.log(np.where(p > 0, p, 1) / np.maximum(q, 1e-12)), 0)
    return float(terms.sum(1).mean())


def _draw_class(
    axes: Axes, times: np.ndarray, target: np.ndarray, recovered: np.ndarray, colour: str
) -> None:
    middles = times.mean(1)
    axes.hlines(target, times[:, 0], times[:, 1], color='black', linewidth=2, zorder=2)
    axes.plot(
        middles, recovered, color=colour, marker='o', markersize=5, linewidth=1.5, zorder=3,
        markeredgecolor='white',
    )  # fmt: skip


def _strip_height(frames: np.ndarray) -> float:
    count, height, width = frames.shape[:3]
    return min(1.7, (_WIDTH - 0.4) / count * height / width) + 0.3


def _show_frames(axes: Axes, frames: np.ndarray, times: np.ndarray) -> None:
    gap = max(1, frames.shape[2] // 24)
    padded = np.pad(frames, ((0, 0), (0, 0), (0, gap), (0, 0)), constant_values=255)
    axes.imshow(np.concatenate(list(padded), axis=1)[:, :-gap])
    step = frames.shape[2] + gap
    places = [s * step + frames.shape[2] / 2 for s in range(len(frames))]
    shown = [f'{start:.1f}' for start, _ in times] if len(frames) > 14 else [
        f'{start:.1f}-{end:.1f} s' for start, end in times
    ]  # fmt: skip
    axes.set_xticks(places, shown, fontsize=7)
    axes.tick_params(length=0)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _write_legend(figure: Figure, has_truth: bool) -> None:
    handles = [
        Line2D([], [], color='black', linewidth=2, label='target, of the unmasked pass'),
        Line2D([], [], color='#666666', marker='o', label='recovered, of the masked pass'),
    ]
    if has_truth:
        handles.append(Patch(color=TRUTH_COLOUR, label='planted degree'))
    figure.legend(
        handles=handles, ncols=3, fontsize=_FONT, loc='outside lower center', frameon=False
    )
