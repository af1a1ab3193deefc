"""The course of the emotion over a video's time, with the words (paper Fig. 1 and 6)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from mart_mm.visualization.stack import stacked
from mart_mm.visualization.style import (
    LEVEL_COLOURS,
    LEVEL_NAMES,
    UNVERIFIED_COLOUR,
    UNVERIFIED_NAME,
    class_colour,
    class_line,
    class_marker,
    finish,
    ink,
    level_colour,
    level_name,
)
from mart_mm.visualization.text import clock, text_width, without_glyphs, wrap
from mart_mm.visualization.truth import draw_truth
from mart_mm.visualization.word_rows import PlacedWord, count_by_level, place_words

#: inches
_WIDTH, _LEFT, _BOTTOM, _GAP = 10.0, 0.8, 0.85, 0.12
_TRUTH_AXIS, _CURVE, _DEGREE, _ROW, _TICKS, _LEGEND_LINE, _LEGEND_NAME = (
    0.6,
    2.0,
    0.6,
    0.21,
    0.16,
    0.185,
    1.5,
)
_FONT, _MAX_ROWS = 8, 7
#: more segments than these have no markers, and no lines between them
_MAX_MARKED = 60
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


def draw_timeline(
    times: np.ndarray,
    curves: dict[str, np.ndarray],
    classes: Sequence[str],
    cues: Sequence[dict],
    title: str,
    truth: tuple[int, np.ndarray] | None = None,
    *,
    strongest: Sequence[tuple[int, float]] | None = None,
    emphasis: int | None = None,
    duration: float | None = None,
    notes: Sequence[str] = (),
) -> Figure:
    """Draw the emotion distribution of each segment and the words below it.

    The probability axis spans what is drawn.

    A tick stands for each word. Where not all can be written, those of the higher verification levels
    are, and the picture says how many of each level.

    Args:
        times: (S, 2), start and end of the segments in seconds.
        curves: (S, C) distributions by name, one panel each.
        classes: Names of the C classes.
        cues: Words with ``word``, ``start``, ``end``, ``level`` (None: not verified) and optionally
            ``weight`` (the stronger are written first) and ``is_true``.
        title: Above the picture.
        truth: Class and its true degree (S,), drawn as grey bars on an axis of their own.
        strongest: Class and degree of each segment, drawn as bars in a panel of their own.
        emphasis: Class drawn bold; default: that of the truth.
        duration: Seconds of the video; default: to the end of the last segment.
        notes: Lines below the title.
    """
    emphasis = truth[0] if emphasis is None and truth is not None else emphasis
    span = _span(times, cues, duration)
    labelled = [dict(cue, label=cue['word'] + (' *' if cue.get('is_true') else '')) for cue in cues]
    words = place_words(labelled, span, _WIDTH, font=_FONT, max_rows=_MAX_ROWS)
    entries = _class_entries(classes, emphasis)
    beside = _TRUTH_AXIS if truth is not None else 0.05
    curve_height = max(_CURVE, _LEGEND_LINE * sum(name.count('\n') + 1 for _, name in entries))
    heights = [curve_height] + [_CURVE] * (len(curves) - 1)
    heights += [_DEGREE] * (strongest is not None)
    heights.append(_TICKS + _ROW * max(1, 1 + max((word.row for word in words), default=0)))
    figure, panels = stacked(
        heights, _WIDTH, left=_LEFT, right=beside + _legend_width(entries), bottom=_BOTTOM, gap=_GAP,
        title=title, notes=[*notes, *_word_notes(labelled, words)],
    )  # fmt: skip
    for axes, (name, curve) in zip(panels, curves.items(), strict=False):
        _draw_curve(axes, times, curve, emphasis, truth)
        axes.set_ylabel(name, size=9)
    if strongest is not None:
        _draw_degrees(panels[-2], times, strongest)
    _draw_words(panels[-1], labelled, words, span, heights[-1])
    _draw_time(panels, times, span)
    _write_legends(figure, panels, entries, labelled, beside)
    return finish(figure)


def _span(times: np.ndarray, cues: Sequence[dict], duration: float | None) -> tuple[float, float]:
    begins = [0.0] if not len(times) else [float(times[:, 0].min())]
    ends = [] if not len(times) else [float(times[:, 1].max())]
    if duration is not None:
        begins.append(0.0)
        ends.append(float(duration))
    begins += [cue['start'] for cue in cues]
    ends += [cue['end'] for cue in cues]
    start, end = min(begins), max(ends, default=0.0)
    return start, end if end > start else start + 1.0


def _class_entries(classes: Sequence[str], emphasis: int | None) -> list[tuple[object, str]]:
    """Handles and wrapped names of the legend beside the curves."""
    return [
        (
            Line2D(
                [], [], color=class_colour(index), linestyle=class_line(index),
                marker=class_marker(index), markersize=5, linewidth=2.5 if index == emphasis else 1.2,
            ),
            '\n'.join(wrap(name, _LEGEND_NAME, _FONT)),
        )
        for index, name in enumerate(classes)
    ]  # fmt: skip


def _legend_width(entries: Sequence[tuple[object, str]]) -> float:
    lines = [line for _, name in entries for line in name.split('\n')]
    return 0.7 + max((text_width(line, _FONT) for line in lines), default=0)


def _word_notes(cues: Sequence[dict], words: Sequence[PlacedWord]) -> list[str]:
    notes = []
    if len(words) < len(cues):
        shares = ', '.join(
            f'{level_name(level)} {written} of {total}'
            for level, (written, total) in count_by_level(cues, words).items()
        )
        notes.append(
            f'{len(words)} of {len(cues)} words are written, the highest levels first ({shares}); '
            'ticks stand for all'
        )
    unreadable = without_glyphs(cues[word.index]['label'] for word in words)
    if unreadable:
        notes.append(
            f'{len(unreadable)} words are in a script that no font here has: install the Noto Sans '
            'fonts of that script'
        )
    return notes


def _draw_curve(
    axes: Axes,
    times: np.ndarray,
    curve: np.ndarray,
    emphasis: int | None,
    truth: tuple[int, np.ndarray] | None,
) -> None:
    if not len(times):
        _say(axes, 'no segments')
        return
    # distributions of a young model differ by little
    low, high = float(curve.min()), float(curve.max())
    margin = 0.06 * (high - low) or 0.05
    axes.set_ylim(max(-0.02, low - margin), min(1.02, high + margin))
    if truth is not None:
        draw_truth(axes, times, truth[1])
    middles = times.mean(1)
    for index in range(curve.shape[1]):
        is_own, is_marked = index == emphasis, len(times) <= _MAX_MARKED
        look = dict(
            color=class_colour(index),
            linestyle=class_line(index),
            linewidth=(2.5 if is_own else 1.2) * (1 if is_marked else 0.6),
            zorder=3 if is_own else 2,
        )
        marker = class_marker(index) if is_marked else None
        axes.plot(middles, curve[:, index], marker=marker, markersize=4.5, **look)
        if len(times) == 1:  # a line where there is nothing to join
            axes.hlines(curve[0, index], *times[0], **look)


def _draw_degrees(axes: Axes, times: np.ndarray, strongest: Sequence[tuple[int, float]]) -> None:
    axes.set_ylabel('degree', size=9)
    axes.set_ylim(0, 1.05)
    for (start, end), (index, degree) in zip(times, strongest, strict=True):
        axes.bar(start, degree, end - start, align='edge', color=class_colour(index), linewidth=0)


def _draw_words(
    axes: Axes,
    cues: Sequence[dict],
    words: Sequence[PlacedWord],
    span: tuple[float, float],
    height: float,
) -> None:
    axes.set_ylim(height, 0)
    axes.set_yticks([])
    axes.set_ylabel('words', size=9)
    axes.set_xlim(*span)
    if not cues:
        _say(axes, 'no words of the lexicon')
    for level in sorted({cue['level'] for cue in cues}, key=lambda level: level or 0):
        middles = [(cue['start'] + cue['end']) / 2 for cue in cues if cue['level'] == level]
        ticks = axes.vlines(middles, 0, 0.75 * _TICKS, color=level_colour(level), linewidth=1.5)
        ticks.set_label(level_name(level))
    per_inch = (span[1] - span[0]) / _WIDTH
    for word in words:
        colour = level_colour(cues[word.index]['level'])
        axes.text(
            span[0] + word.centre * per_inch,
            _TICKS + _ROW * (word.row + 0.5),
            word.text,
            ha='center',
            va='center_baseline',
            size=_FONT,
            color=ink(colour),
            bbox=dict(facecolor=colour, edgecolor='none', pad=1.8),
        )


def _draw_time(panels: Sequence[Axes], times: np.ndarray, span: tuple[float, float]) -> None:
    is_long = span[1] - span[0] > 120
    for axes in panels:
        axes.set_xlim(*span)
        if 1 < len(times) <= _MAX_MARKED:
            for start in times[:, 0]:
                axes.axvline(start, color='#DDDDDD', linewidth=0.8, zorder=0)
        if is_long:
            step = next((s for s in _STEPS if (span[1] - span[0]) / s <= 12), _STEPS[-1])
            axes.xaxis.set_major_locator(MultipleLocator(step))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: clock(seconds)))
        else:
            axes.xaxis.set_major_locator(MaxNLocator(12))
        axes.tick_params(labelbottom=axes is panels[-1], labelsize=8)
    unit = 'h:mm:ss' if span[1] >= 3600 else 'm:ss'
    panels[-1].set_xlabel(f'time ({unit})' if is_long else 'seconds', size=9)


def _write_legends(
    figure: Figure,
    panels: Sequence[Axes],
    entries: Sequence[tuple[object, str]],
    cues: Sequence[dict],
    beside: float,
) -> None:
    width, height = figure.get_size_inches()
    top = panels[0].get_position().y1
    figure.legend(
        [handle for handle, _ in entries], [name for _, name in entries], fontsize=_FONT,
        loc='upper left', bbox_to_anchor=((_LEFT + _WIDTH + beside) / width, top), frameon=False,
        borderaxespad=0, handlelength=2.2,
    )  # fmt: skip
    if not cues:
        return
    levels = [*zip(LEVEL_COLOURS, LEVEL_NAMES, strict=True)]
    if all(cue['level'] is None for cue in cues):
        levels = [(UNVERIFIED_COLOUR, UNVERIFIED_NAME)]
    handles = [Patch(color=colour, label=name) for colour, name in levels]
    if any(cue.get('is_true') for cue in cues):
        handles.append(Line2D([], [], color='none', label='* planted as true'))
    figure.legend(
        handles=handles, ncols=len(handles), fontsize=_FONT, loc='lower left', frameon=False,
        bbox_to_anchor=(_LEFT / width, 0.05 / height), borderaxespad=0, title_fontsize=_FONT,
    )  # fmt: skip


def _say(axes: Axes, text: str) -> None:
    axes.text(
        0.5, 0.5, text, ha='center', va='center', size=9, color='#666666', transform=axes.transAxes
    )
