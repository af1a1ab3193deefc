"""The picture of a report: the course of the emotion, with the words below it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from mart_mm.structures.emotion_report import EmotionReport, WordReport
from mart_mm.visualization.timeline import draw_timeline

_MOST_WORDS = 40  # more do not fit side by side


def draw_report(report: EmotionReport) -> Figure:
    """Draw a report.

    Of more words than fit those of the highest level are drawn, spread over the video; the title says
    how many.

    Args:
        report: With at least one segment.
    """
    words = choose_words(report.words, report.duration)
    best = max(report.scores)
    title = f'{report.video or "video"}: {report.emotion} {best:.2f}'
    if len(words) < len(report.words):
        title += f' ({len(words)} of {len(report.words)} words)'
    return draw_timeline(
        times=np.array([(segment.start, segment.end) for segment in report.segments]),
        curves={'emotion': np.array([segment.distribution for segment in report.segments])},
        classes=report.classes,
        cues=[
            dict(word=word.word, start=word.start, end=word.end, level=word.level or 0)
            for word in words
        ],
        title=title,
    )


def choose_words(
    words: Sequence[WordReport], duration: float, most: int = _MOST_WORDS
) -> list[WordReport]:
    """At most ``most`` words in the order of time, one of the highest level from each equal stretch."""
    if len(words) <= most:
        return list(words)
    best: dict[int, WordReport] = {}
    for word in words:
        stretch = min(most - 1, int(word.start / duration * most))
        held = best.get(stretch)
        if held is None or (word.level or 0) > (held.level or 0):
            best[stretch] = word
    return [best[stretch] for stretch in sorted(best)]
