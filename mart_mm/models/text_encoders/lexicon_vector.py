"""Linguistic and affective vector of a word, without any pretrained weight."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from mart_mm.lexicon.affect import AFFECT_DIMS
from mart_mm.models.text_encoders.base import TextEncoder
from mart_mm.registry import MODELS


@lru_cache(maxsize=65536)
def hashed_ngrams(word: str, dims: int) -> np.ndarray:
    """Unit vector of a word's character trigrams, each with a fixed random sign pattern.

    Words that share trigrams are close, as in fastText's subwords; equal on every machine.

    Returns:
        float32 (dims,).
    """
    padded = f'<{word.lower()}>'
    total = np.zeros(dims, dtype=np.float32)
    for start in range(len(padded) - 2):
        digest = hashlib.blake2b(padded[start : start + 3].encode(), digest_size=8).digest()
        signs = np.random.default_rng(int.from_bytes(digest, 'little')).integers(2, size=dims)
        total += 2 * signs.astype(np.float32) - 1
    total /= max(float(np.linalg.norm(total)), 1e-12)
    total.setflags(write=False)  # shared by the cache
    return total


@MODELS.register_module()
class LexiconVectorEncoder(TextEncoder):
    """The lexicon's affect (polarity value, degrees of the moods) beside hashed character trigrams.

    The paper extracts "the linguistic vector and emotional vector for each word" (Sec. 3.2); this
    is the form that needs no download. Both parts have unit norm, weighted by ``affect_share``.

    Args:
        dims: Width Dl, more than the number of affect values.
        affect_share: Share of the affect in the squared norm.
    """

    def __init__(self, *, dims: int = 64, affect_share: float = 0.8) -> None:
        if dims <= AFFECT_DIMS:
            raise ValueError(f'dims={dims}: more than {AFFECT_DIMS} are needed')
        self.dims, self.affect_share = dims, affect_share

    def encode(
        self, texts: Sequence[str], cues: Sequence[Sequence[dict]], device: torch.device
    ) -> list[Tensor]:
        """See :class:`TextEncoder`; the text around a word is not used."""
        encoded = []
        for segment in cues:
            features = np.zeros((len(segment), self.dims), dtype=np.float32)
            for row, cue in zip(features, segment, strict=True):
                affect = np.asarray(cue['affect'], dtype=np.float32)
                affect = affect / max(float(np.linalg.norm(affect)), 1e-12)
                row[:AFFECT_DIMS] = self.affect_share**0.5 * affect
                word = hashed_ngrams(cue['word'], self.dims - AFFECT_DIMS)
                row[AFFECT_DIMS:] = (1 - self.affect_share) ** 0.5 * word
            encoded.append(torch.from_numpy(features))
        return encoded
