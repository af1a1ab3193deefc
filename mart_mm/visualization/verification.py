"""Which words are kept and which are dropped, step by step (paper Fig. 5)."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mart_mm.structures.emotion_report import DROPPED_AT, LEVELS, EmotionReport, WordReport
from mart_mm.visualization.stack import stacked
from mart_mm.visualization.style import DROPPED_COLOUR, TRUTH_COLOUR, class_colour, finish
from mart_mm.visualization.text import clock, text_width, without_glyphs, wrap
from mart_mm.visualization.words import FlowingText, Piece, flow

_WIDTH, _LEFT, _RIGHT, _GAP, _FONT, _MAX_LINES = 10.0, 1.75, 0.15, 0.12, 9, 6
_SIGNS = {-1: 'negative', 0: 'neutral', 1: 'positive'}
_ROW_NAMES = ('found', 'E1 sentiment', 'E2 emotion', 'E3 degree')


def draw_verification(report: EmotionReport) -> Figure:
    """Draw a video's words in four rows: found in the lexicon, then tried by E1, E2 and E3.

    A row holds the words that passed the rows above it. What fails there is greyed and crossed out, and
    below it stands what disagreed: first the word's, then the segment's. Words that stay have the colour
    of their class. What does not fit into a row is counted.

    Args:
        report: Of the video. Of a model that verifies no words there is the first row only.
    """
    is_verified = all(word.level is not None for word in report.words) and bool(report.words)
    rows = [_found(report)]
    names = [f'{_ROW_NAMES[0]}\n{len(report.words)} words']
    if is_verified:
        for level in range(1, len(LEVELS)):
            tried = [word for word in report.words if word.level >= level - 1]
            kept = sum(word.level >= level for word in tried)
            rows.append([_tried(report, word, level) for word in tried])
            names.append(f'{_ROW_NAMES[level]}\n{kept} of {len(tried)} stay')
    texts = [flow(row, _WIDTH, _FONT, _MAX_LINES) for row in rows]
    heights = [max(0.45, text.height + 0.08) for text in texts]
    legend = _legend(report)
    figure, panels = stacked(
        heights, _WIDTH, left=_LEFT, right=_RIGHT, bottom=0.1 + 0.2 * len(legend), gap=_GAP,
        title=_title(report), notes=_notes(report, is_verified),
    )  # fmt: skip
    for axes, text, name, height in zip(panels, texts, names, heights, strict=True):
        _draw_row(axes, text, name, height)
    _write_legend(figure, legend)
    return finish(figure)


def _title(report: EmotionReport) -> str:
    dropped = sum(word.level is not None and word.level < 3 for word in report.words)
    verified = sum(word.level == 3 for word in report.words)
    said = f'{verified} words verified, {dropped} dropped'
    return f'{report.video}: {said}' if report.video else said


def _notes(report: EmotionReport, is_verified: bool) -> list[str]:
    if not report.words:
        return ['no word of the lexicon was found']
    notes = [] if is_verified else ['the model verifies no words: nothing is dropped']
    unreadable = without_glyphs(word.word for word in report.words)
    if unreadable:
        notes.append(
            f'{len(unreadable)} words are in a script that no font here has: install the Noto Sans '
            'fonts of that script'
        )
    return notes


def _found(report: EmotionReport) -> list[Piece]:
    return [
        Piece(word.word, clock(word.start, with_fraction=True), _colour(report, word))
        for word in report.words
    ]


def _tried(report: EmotionReport, word: WordReport, level: int) -> Piece:
    if word.level >= level:
        return Piece(word.word, '', _colour(report, word))
    return Piece(word.word, _reason(report, word), is_struck=True)


def _reason(report: EmotionReport, word: WordReport) -> str:
    """What disagreed: the word's side, then the segment's."""
    segment, kind = report.segments[word.segment], DROPPED_AT[word.level]
    if kind == 'sentiment':
        return f'{_SIGNS[word.polarity]}, not {_SIGNS[segment.sentiment]}'
    if kind == 'emotion' or word.emotion not in report.classes:
        return f'{word.emotion}, not {segment.emotion}'
    index = report.classes.index(word.emotion)
    return f'{word.emotion} {word.affect[index]:.2f}, not {segment.distribution[index]:.2f}'


def _colour(report: EmotionReport, word: WordReport) -> str:
    known = word.emotion in report.classes
    return class_colour(report.classes.index(word.emotion)) if known else TRUTH_COLOUR


def _draw_row(axes: Axes, text: FlowingText, name: str, height: float) -> None:
    text.draw(axes, _WIDTH, height)
    axes.set_label(name.split('\n')[0])
    first, second = name.split('\n')
    axes.text(-_LEFT + 0.1, 0.05, first, va='top', size=_FONT, weight='bold', clip_on=False)
    axes.text(-_LEFT + 0.1, 0.24, second, va='top', size=_FONT - 1, color='#444444', clip_on=False)
    axes.axhline(0, xmin=-(_LEFT - 0.1) / _WIDTH, color='#BBBBBB', linewidth=0.8, clip_on=False)


def _legend(report: EmotionReport) -> list[list[tuple[object, str]]]:
    """Handles and names, in lines that fit the figure."""
    present = {word.emotion for word in report.words}
    entries: list[tuple[object, str]] = [
        (Patch(color=class_colour(index)), wrap(name, 3.0, _FONT - 1)[0])
        for index, name in enumerate(report.classes)
        if name in present
    ]
    if any(word.emotion not in report.classes for word in report.words):
        entries.append((Patch(color=TRUTH_COLOUR), 'no class'))
    if any(word.level is not None and word.level < 3 for word in report.words):
        struck = Line2D([], [], color=DROPPED_COLOUR, linewidth=1)
        entries.append((struck, 'dropped at this step (below: of the word, not of the segment)'))
    lines: list[list[tuple[object, str]]] = []
    left = _LEFT + _WIDTH
    for entry in entries:
        extent = 0.55 + text_width(entry[1], _FONT - 1)
        if left + extent > _LEFT + _WIDTH:
            lines.append([])
            left = 0.1
        lines[-1].append(entry)
        left += extent
    return lines


def _write_legend(figure: Figure, lines: Sequence[Sequence[tuple[object, str]]]) -> None:
    width, height = figure.get_size_inches()
    for number, line in enumerate(reversed(lines)):
        figure.legend(
            [handle for handle, _ in line], [name for _, name in line], ncols=len(line),
            fontsize=_FONT - 1, loc='lower left', frameon=False, borderaxespad=0, borderpad=0.2,
            bbox_to_anchor=(0.1 / width, (0.05 + 0.2 * number) / height), handlelength=1.2,
            columnspacing=1.0, handletextpad=0.4,
        )  # fmt: skip
