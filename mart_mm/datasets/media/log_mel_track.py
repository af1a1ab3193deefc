"""Log-mel frames of a whole sound track, on its own grid of 10 ms."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from mart_mm.datasets.media.log_mel import log_mel, num_samples, window_and_shift

_KEPT_BLOCKS = 8  # windows that follow each other may overlap


def num_frames(samples: int, sample_rate: int = 16000) -> int:
    """Frames that lie wholly within this many samples."""
    window, shift = window_and_shift(sample_rate)
    return max(0, 1 + (samples - window) // shift)


class LogMelTrack:
    """The frames of one track, computed when they are asked for.

    Frame k covers the 25 ms from k x 10 ms on. It is always computed within the same block of frames,
    so that it has the same bits whichever others are asked for with it, and however long the track
    is, no more than a block is held in double precision.

    Args:
        waveform: (samples,) in [-1, 1].
        sample_rate: Samples per second.
        num_mels: Mel bins.

    Attributes:
        num_samples: Length of the track.
        num_frames: Frames within it.
    """

    BLOCK = 512  # frames; smaller blocks cost more calls

    def __init__(self, waveform: np.ndarray, sample_rate: int = 16000, num_mels: int = 128) -> None:
        self.waveform, self.sample_rate, self.num_mels = waveform, sample_rate, num_mels
        self.num_samples = len(waveform)
        self.num_frames = num_frames(self.num_samples, sample_rate)
        self._block = lru_cache(_KEPT_BLOCKS)(self._compute)

    def _compute(self, index: int) -> np.ndarray:
        start = index * self.BLOCK * window_and_shift(self.sample_rate)[1]
        length = num_samples(self.BLOCK, self.sample_rate)
        samples = np.zeros(length, dtype=np.float32)
        inside = self.waveform[start : start + length]
        samples[: len(inside)] = inside
        return log_mel(torch.from_numpy(samples), self.sample_rate, self.num_mels).numpy()

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Frames from ``start`` to before ``stop``, each from 0 to ``num_frames``.

        Returns:
            float32 (stop - start, num_mels).
        """
        if stop <= start:
            return np.empty((0, self.num_mels), dtype=np.float32)
        first, last = start // self.BLOCK, (stop - 1) // self.BLOCK
        blocks = np.concatenate([self._block(index) for index in range(first, last + 1)])
        return blocks[start - first * self.BLOCK : stop - first * self.BLOCK]
