"""The emotion report as plain data, in the form that mart_mm itself writes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mart_mm_runtime.metadata import Metadata

FORMAT = 1
NO_WORDS = 'words were not looked for: an exported model takes picture and sound only'


def emotion_report(
    metadata: Metadata,
    scores: np.ndarray,
    distributions: np.ndarray,
    segment_times: np.ndarray,
    *,
    video: str,
    duration: float,
    has_sound: bool,
    warnings: Sequence[str],
) -> dict:
    """Put the numbers of a video into words.

    Args:
        metadata: Of the model.
        scores: (C,), probability of each class for the whole video.
        distributions: (S, C), of each segment.
        segment_times: (S, 2), seconds.
        video: Name of the file.
        duration: Seconds.
        has_sound: Whether sound was heard.
        warnings: What could not be read, beside the words.

    Returns:
        Emotion report of format 1.
    """
    classes, polarity = metadata.classes, metadata.polarity
    best = int(scores.argmax())
    strongest = float(distributions.max())
    segments = [
        dict(
            start=round(float(start), 3),
            end=round(float(end), 3),
            distribution=[float(share) for share in distribution],
            emotion=classes[int(distribution.argmax())],
            sentiment=sentiment(distribution, polarity),
            degree=float(distribution.max()) / strongest,
            text='',
        )
        for (start, end), distribution in zip(segment_times, distributions, strict=True)
    ]
    return dict(
        format=FORMAT,
        video=video,
        duration=round(float(duration), 3),
        classes=list(classes),
        polarity=list(polarity),
        emotion=classes[best],
        scores=[float(score) for score in scores],
        sentiment=polarity[best],
        segments=segments,
        words=[],
        has_sound=has_sound,
        transcript_source=None,
        warnings=[*warnings, NO_WORDS],
        model=dict(metadata.model),
    )


def sentiment(distribution: np.ndarray, polarity: Sequence[int]) -> int:
    """The polarity with the largest mass; ties go to the more negative one."""
    signs, values = np.asarray(polarity), np.array([-1, 0, 1])
    return int(values[np.argmax([distribution[signs == value].sum() for value in values])])
