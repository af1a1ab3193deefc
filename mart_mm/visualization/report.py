"""An emotion report as one picture (paper Fig. 1)."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from mart_mm.structures.emotion_report import EmotionReport
from mart_mm.visualization.text import clock
from mart_mm.visualization.timeline import draw_timeline

_MAX_WARNINGS = 4
_SENTIMENTS = {-1: 'negative', 0: 'neutral', 1: 'positive'}
_TRANSCRIPTS = {
    'given': 'words as given',
    'sidecar': 'words of a subtitle file',
    'container': 'words of a subtitle track',
    'speech': 'words by speech recognition',
    None: 'no transcript',
}


def draw_report(report: EmotionReport) -> Figure:
    """Draw a report: the emotion's course, each segment's strongest emotion, and the words.

    The video's own emotion is drawn bold. Of long videos the words of the higher verification levels
    are written, as many as there is room for, and the picture says how many.

    Args:
        report: What is drawn.
    """
    classes = list(report.classes)
    times = np.array([(s.start, s.end) for s in report.segments], dtype=float).reshape(-1, 2)
    curve = np.array([s.distribution for s in report.segments], dtype=float)
    cues = [
        dict(
            word=word.word,
            start=word.start,
            end=word.end,
            level=word.level,
            weight=max(word.affect, default=0.0),
        )
        for word in report.words
    ]
    return draw_timeline(
        times,
        {'probability': curve.reshape(-1, len(classes))},
        classes,
        cues,
        _title(report),
        strongest=[(classes.index(s.emotion), s.degree) for s in report.segments],
        emphasis=classes.index(report.emotion) if report.emotion in classes else None,
        duration=report.duration,
        notes=_notes(report),
    )


def _title(report: EmotionReport) -> str:
    said = f'{report.emotion}, {_SENTIMENTS[report.sentiment]}'
    if report.emotion in report.classes:
        score = report.scores[report.classes.index(report.emotion)]
        said = f'{report.emotion} {score:.2f}, {_SENTIMENTS[report.sentiment]}'
    return f'{report.video}: {said}' if report.video else said


def _notes(report: EmotionReport) -> list[str]:
    parts = [
        f'{clock(report.duration, with_fraction=True)} min'
        if report.duration < 3600
        else f'{clock(report.duration)} h',
        f'{len(report.segments)} segment' + 's' * (len(report.segments) != 1),
        f'{len(report.words)} word' + 's' * (len(report.words) != 1) + ' of the lexicon',
        'with sound' if report.has_sound else 'no sound',
        _TRANSCRIPTS.get(report.transcript_source, str(report.transcript_source)),
    ]
    model = ' '.join(report.model[key] for key in ('name', 'checkpoint') if report.model.get(key))
    left_out = len(report.warnings) - _MAX_WARNINGS
    return [
        ', '.join(parts) + (f'; by {model}' if model else ''),
        *report.warnings[:_MAX_WARNINGS],
        *([f'... and {left_out} more warnings'] if left_out > 0 else []),
    ]
