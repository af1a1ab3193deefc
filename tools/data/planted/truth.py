"""The truth as it is written beside the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from tools.data.planted.plant import Options, VideoPlan
from tools.data.planted.word_bank import CLASSES


def truth(options: Options, plans: Sequence[VideoPlan]) -> dict:
    """The truth as it is written to ``truth.json``; see the README of this folder."""
    return dict(
        options=asdict(options),
        classes=list(CLASSES),
        videos={plan.name: _video_truth(plan, options) for plan in plans},
    )


def _video_truth(plan: VideoPlan, options: Options) -> dict:
    segments = plan.segments
    degree = np.zeros((len(segments), len(CLASSES)))
    degree[:, plan.emotion] = [segment.degree for segment in segments]
    return dict(
        split=plan.split,
        emotion=plan.emotion,
        duration=options.duration,
        segments=[_rounded(segment.start, segment.end) for segment in segments],
        degree=[_rounded(*row) for row in degree],
        patches=[[_rounded(*segment.patch)] if segment.patch else [] for segment in segments],
        distractors=[[_rounded(*box) for box in segment.distractors] for segment in segments],
        sound=[_rounded(*segment.sound) if segment.sound else None for segment in segments],
        words=[dict(segment=number, **cue._asdict()) for number, cue in plan.cues],
        blemish=plan.blemish,
    )


def _rounded(*values: float) -> list[float]:
    return [round(float(value), 6) for value in values]
