"""Loss curves from a run's log."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mart_mm.visualization.style import CLASS_COLOURS, finish

#: losses that only the first stage computes; the log keeps their last value
_PRETRAIN_ONLY = ('loss_tacl', 'loss_patch', 'loss_kl', 'loss_cpc', 'loss_aux')
_ACCURACY, _COLUMNS = 'affect/emotion_acc', 3


def draw_losses(records: Sequence[dict], switch_epoch: int | None = None) -> Figure:
    """Draw each loss over the epochs, in one small picture each, and the accuracy.

    Args:
        records: As :func:`mart_mm.visualization.run_log.read_run` returns them.
        switch_epoch: Last epoch of pretraining, drawn as a line.

    Raises:
        ValueError: When no record has a loss.
    """
    losses = [r for r in records if 'loss' in r and 'epoch' in r]
    if not losses:
        raise ValueError(
            f'none of {len(records)} records has a loss: give vis_data/scalars.json of a training run'
        )
    # exact from the first epoch on whose last iteration is logged
    per_epoch = max(r['iter'] / r['epoch'] for r in losses)
    panels = {
        name: _points(losses, name, per_epoch, switch_epoch)
        for name in sorted({name for r in losses for name in r if name.startswith('loss')})
    }
    accuracy = [(r['step'], r[_ACCURACY]) for r in records if _ACCURACY in r]
    figure = _grid(len(panels) + bool(accuracy))
    for axes, (name, points) in zip(figure.axes, panels.items(), strict=False):
        is_short = len(points) < 2
        axes.plot(
            *zip(*points, strict=True), color=CLASS_COLOURS[4], marker='o' if is_short else ''
        )
        axes.set_title(name, fontsize=9)
    if accuracy:
        axes = figure.axes[-1]
        axes.plot(*zip(*accuracy, strict=True), color=CLASS_COLOURS[0], marker='o', markersize=3)
        axes.set_title('test accuracy of emotion, %', fontsize=9)
    last = max([r['epoch'] for r in losses] + [step for step, _ in accuracy])
    has_switched = bool(switch_epoch) and switch_epoch <= last
    for axes in figure.axes:
        axes.set_xlim(0, 1.02 * last)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.set_xlabel('epoch', fontsize=8)
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.3)
        if has_switched:
            axes.axvline(
                switch_epoch,
                color='grey',
                linestyle='--',
                linewidth=0.8,
                label='end of pretraining',
            )
    if has_switched:
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc='outside lower right', fontsize=8, frameon=False)
    return finish(figure)


def _points(
    losses: Sequence[dict], name: str, per_epoch: float, switch_epoch: int | None
) -> list[tuple[float, float]]:
    """(epoch, value) of a loss, as long as it is computed."""
    is_over = name.startswith(_PRETRAIN_ONLY)
    kept = [
        r
        for r in losses
        if name in r and not (switch_epoch and is_over and r['epoch'] > switch_epoch)
    ]
    return [(r['iter'] / per_epoch, r[name]) for r in kept]


def _grid(count: int) -> Figure:
    """A figure of so many small axes."""
    columns = min(_COLUMNS, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(4 * columns, 2.5 * rows + 0.3), layout='constrained')
    for axes in figure.subplots(rows, columns, squeeze=False).ravel()[count:]:
        axes.remove()
    return figure
