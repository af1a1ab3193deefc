"""The course of the emotion over a video's time, with the words (paper Fig. 1 and 6b)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mart_mm.visualization.style import CLASS_COLOURS, LEVEL_COLOURS, LEVEL_NAMES


def draw_timeline(
    times: np.ndarray,
    curves: dict[str, np.ndarray],
    classes: Sequence[str],
    cues: Sequence[dict],
    title: str,
    truth: tuple[int, np.ndarray] | None = None,
) -> Figure:
    """Draw the emotion distribution of each segment and the words below it.

    Args:
        times: (S, 2), start and end of the segments in seconds.
        curves: (S, C) distributions by name, one panel each.
        classes: Names of the C classes.
        cues: Words with ``word``, ``start``, ``end``, ``level`` and optionally ``is_true``.
        title: Above the picture.
        truth: Class and its true degree (S,), drawn as grey steps.
    """
    ratios = [2.0] * len(curves) + [1.4]
    figure = Figure(figsize=(11, 2.2 * len(curves) + 2.6), layout='constrained')
    panels = figure.subplots(len(curves) + 1, 1, sharex=True, height_ratios=ratios)
    edges = np.append(times[:, 0], times[-1, 1])
    middles = times.mean(1)
    for axes, (name, curve) in zip(panels, curves.items(), strict=False):
        if truth is not None:
            axes.stairs(truth[1], edges, fill=True, color='#DDDDDD', label='planted degree')
        for index, label in enumerate(classes):
            is_own = truth is not None and index == truth[0]
            axes.plot(
                middles,
                curve[:, index],
                color=CLASS_COLOURS[index % len(CLASS_COLOURS)],
                marker='o',
                markersize=4,
                linewidth=2.5 if is_own else 1,
                label=label,
            )
        axes.set_ylim(0, 1.05)
        axes.set_ylabel(name)
    panels[0].set_title(title)
    panels[0].legend(
        ncols=len(classes) + 1, fontsize=8, loc='upper center', bbox_to_anchor=(0.5, 1.38)
    )
    _draw_words(panels[-1], cues, edges)
    return figure


def _draw_words(axes: object, cues: Sequence[dict], edges: np.ndarray) -> None:
    rows = 3
    for index, cue in enumerate(sorted(cues, key=lambda cue: cue['start'])):
        mark = {True: ' *', False: '', None: ''}[cue.get('is_true')]
        axes.text(
            (cue['start'] + cue['end']) / 2,
            rows - 1 - index % rows + 0.5,
            cue['word'] + mark,
            ha='center',
            va='center',
            fontsize=8,
            color='white' if cue['level'] else 'black',
            bbox=dict(facecolor=LEVEL_COLOURS[cue['level']], edgecolor='none', pad=2.5),
        )
    for edge in edges:
        axes.axvline(edge, color='#DDDDDD', linewidth=0.8, zorder=0)
    axes.set_ylim(0, rows)
    axes.set_yticks([])
    axes.set_xlim(edges[0], edges[-1])
    axes.set_xlabel('seconds')
    axes.set_ylabel('words')
    handles = [
        Line2D([], [], color=colour, linewidth=7, label=name)
        for colour, name in zip(LEVEL_COLOURS, LEVEL_NAMES, strict=True)
    ]
    if any(cue.get('is_true') for cue in cues):
        handles.append(Line2D([], [], color='none', label='* planted as true'))
    axes.legend(
        handles=handles, ncols=5, fontsize=8, loc='upper center', bbox_to_anchor=(0.5, -0.42)
    )
