"""The affect of a lexicon entry as numbers."""

from __future__ import annotations

import numpy as np

from mart_mm.lexicon.base import LexiconEntry

#: moods of SenticNet 6 and 5, in a fixed order
MOODS = (
    'joy', 'sadness', 'calmness', 'anger', 'pleasantness', 'disgust', 'eagerness', 'fear',
    'interest', 'surprise', 'admiration',
)  # fmt: skip
#: opposite moods share an axis, as in the Hourglass of Emotions, so that the vectors of many words
#: average to about zero and their dot products tell emotions apart
AXES = (
    ('joy', 'sadness'), ('calmness', 'anger'), ('pleasantness', 'disgust'), ('eagerness', 'fear'),
    ('interest', 'surprise'), ('admiration', 'disgust'),
)  # fmt: skip
AFFECT_DIMS = 1 + len(AXES)


def affect_vector(entry: LexiconEntry) -> np.ndarray:
    """Polarity value, and degree of the positive less the negative mood of each of :data:`AXES`.

    Returns:
        float32 (AFFECT_DIMS,), each in [-1, 1].
    """
    degrees = [entry.degrees.get(up, 0.0) - entry.degrees.get(down, 0.0) for up, down in AXES]
    return np.array([entry.value, *degrees], dtype=np.float32)
