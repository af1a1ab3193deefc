"""Loss curves from a run's log."""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib.figure import Figure


def read_scalars(path: str | Path) -> list[dict]:
    """Records of ``vis_data/scalars.json``, which MMEngine writes beside the log."""
    return [json.loads(line) for line in Path(path).read_text().splitlines() if line.strip()]


def draw_losses(records: list[dict], switch_epoch: int | None = None) -> Figure:
    """Draw each loss over the epochs, in one small picture each, and the accuracy.

    Args:
        records: As :func:`read_scalars` returns them.
        switch_epoch: Last epoch of pretraining, drawn as a line.
    """
    losses = [r for r in records if 'loss' in r]
    per_epoch = max(r['iter'] for r in losses) / max(r['epoch'] for r in losses)
    # a loss that is not computed any more keeps its last value in the log
    pretrain_only = ('loss_tacl', 'loss_patch', 'loss_kl', 'loss_cpc', 'loss_aux')
    names = sorted({name for r in losses for name in r if name.startswith('loss')})
    has_scores = any('affect/emotion_acc' in r for r in records)
    columns = 3
    rows = -(-(len(names) + has_scores) // columns)
    figure = Figure(figsize=(4 * columns, 2.5 * rows), layout='constrained')
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, name in zip(panels, names, strict=False):
        points = [
            (r['iter'] / per_epoch, r[name])
            for r in losses
            if name in r
            and not (switch_epoch and name.startswith(pretrain_only) and r['epoch'] > switch_epoch)
        ]
        axes.plot(*zip(*points, strict=True), color='#0072B2')
        axes.set_title(name, fontsize=9)
    if has_scores:
        points = [
            (r['step'], r['affect/emotion_acc']) for r in records if 'affect/emotion_acc' in r
        ]
        axes = panels[len(names)]
        axes.plot(*zip(*points, strict=True), color='#D55E00', marker='o', markersize=3)
        axes.set_title('test accuracy of emotion, %', fontsize=9)
    for index, axes in enumerate(panels):
        if index >= len(names) + has_scores:
            axes.set_visible(False)
            continue
        axes.set_xlabel('epoch', fontsize=8)
        axes.grid(alpha=0.3)
        if switch_epoch:
            axes.axvline(switch_epoch, color='grey', linestyle='--', linewidth=0.8)
    return figure
