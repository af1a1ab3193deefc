"""The truth as it is written beside the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from mart_mm.planted.class_set import ClassSet
from mart_mm.planted.options import Options
from mart_mm.planted.plans import FilePlan, RecordPlan


def truth(options: Options, classes: ClassSet, files: Sequence[FilePlan]) -> dict:
    """The truth as it is written to ``truth.json``; see tools/data/planted/README.md."""
    return dict(
        options=asdict(options),
        classes=list(classes.names),
        videos={
            record.video_id: _record_truth(file, record, options, classes)
            for file in files
            for record in file.records
        },
    )


def _record_truth(file: FilePlan, record: RecordPlan, options: Options, classes: ClassSet) -> dict:
    segments = record.segments
    degree = np.zeros((len(segments), len(classes.names)))
    degree[:, record.emotion] = [segment.degree for segment in segments]
    return dict(
        split=file.split,
        emotion=record.emotion,
        duration=options.duration,
        segments=[_rounded(segment.start, segment.end) for segment in segments],
        degree=[_rounded(*row) for row in degree],
        patches=[[_rounded(*segment.patch)] if segment.patch else [] for segment in segments],
        distractors=[[_rounded(*box) for box in segment.distractors] for segment in segments],
        sound=[_rounded(*segment.sound) if segment.sound else None for segment in segments],
        words=[dict(segment=number, **cue._asdict()) for number, cue in record.cues],
        blemish=file.blemish,
    )


def _rounded(*values: float) -> list[float]:
    return [round(float(value), 6) for value in values]
