"""The picture of a report: the course of the emotion, with the words below it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from mart_mm.apis.inference.outcome import Outcome
from mart_mm.structures.emotion_report import EmotionReport, SegmentReport, WordReport
from mart_mm.visualization.style import save_figure
from mart_mm.visualization.timeline import draw_timeline

_MOST_WORDS, _MOST_POINTS = 40, 120  # more do not fit side by side


def write_outcome(
    outcome: Outcome, out_dir: str | os.PathLike, picture: bool = True, report: bool = True
) -> Path | None:
    """Write what is known of a video; nothing where it failed.

    Args:
        outcome: The video's.
        out_dir: Folder.
        picture: Whether its picture is written.
        report: Whether its report is written as JSON.

    Returns:
        Path of the picture, if any.

    Raises:
        OSError: When the folder cannot be written.
    """
    if outcome.report is None:
        return None
    if report:
        outcome.report.save(outcome.place(out_dir, '.json'))
    if not picture:
        return None
    return save_figure(draw_report(outcome.report), outcome.place(out_dir, '.png'))


def draw_report(report: EmotionReport) -> Figure:
    """Draw a report.

    Of more words than fit those of the highest level are drawn, spread over the video; of more segments
    than fit the means of neighbours. The title says so.

    Args:
        report: With at least one segment.
    """
    words = choose_words(report.words, report.duration)
    best = max(report.scores)
    title = f'{report.video or "video"}: {report.emotion} {best:.2f}'
    if len(words) < len(report.words):
        title += f' ({len(words)} of {len(report.words)} words)'
    times, course, together = thin(report.segments)
    if together > 1:
        title += f' (mean of every {together} segments)'
    return draw_timeline(
        times=times,
        curves={'emotion': course},
        classes=report.classes,
        cues=[
            dict(word=word.word, start=word.start, end=word.end, level=word.level or 0)
            for word in words
        ],
        title=title,
    )


def thin(
    segments: Sequence[SegmentReport], most: int = _MOST_POINTS
) -> tuple[np.ndarray, np.ndarray, int]:
    """Segments, or means of as many neighbours as are needed to be at most ``most``.

    Returns:
        Start and end (n, 2) in seconds, distributions (n, C), and how many segments make one.
    """
    together = -(-len(segments) // most)
    groups = [segments[i : i + together] for i in range(0, len(segments), together)]
    times = np.array([(group[0].start, group[-1].end) for group in groups])
    course = np.array([np.mean([part.distribution for part in group], 0) for group in groups])
    return times, course, together


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
