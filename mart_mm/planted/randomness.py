"""Sources of randomness that do not depend on who draws from them."""

from __future__ import annotations

import numpy as np

from mart_mm.planted.options import SPLITS, Options

#: a change to how sound is drawn leaves words and pictures as they are
STREAMS = ('truth', 'words', 'visual', 'audio', 'layout')


def generator(options: Options, split: str, index: int, stream: str) -> np.random.Generator:
    """The source of randomness of one record or file and one stream, whatever process draws it.

    Args:
        options: Of the data set.
        split: ``train`` or ``test``.
        index: Of the record in the split; of a file, its first record's.
        stream: One of :data:`STREAMS`.
    """
    return np.random.default_rng((options.seed, SPLITS.index(split), index, STREAMS.index(stream)))
