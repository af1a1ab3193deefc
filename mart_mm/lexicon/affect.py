"""The affect of a lexicon entry as numbers."""

from __future__ import annotations

import numpy as np

from mart_mm.lexicon.base import LexiconEntry

#: moods of SenticNet 6 and 5, in a fixed order
MOODS = (
    'joy', 'sadness', 'calmness', 'anger', 'pleasantness', 'disgust', 'eagerness', 'fear',
    'interest', 'surprise', 'admiration',
)  # fmt: skip
AFFECT_DIMS = 1 + len(MOODS)


def affect_vector(entry: LexiconEntry) -> np.ndarray:
    """Polarity value and the degree of each mood of :data:`MOODS`, float32 (AFFECT_DIMS,)."""
    degrees = [entry.degrees.get(mood, 0.0) for mood in MOODS]
    return np.array([entry.value, *degrees], dtype=np.float32)
