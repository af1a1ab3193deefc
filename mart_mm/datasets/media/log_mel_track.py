"""Log-mel frames of a whole sound track, on its own grid of 10 ms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache

import numpy as np
import torch

from mart_mm.datasets.media.log_mel import log_mel, num_samples, window_and_shift
from mart_mm.datasets.media.sound_stream import SoundStream

_KEPT_BLOCKS = 8  # windows that follow each other may overlap


def num_frames(samples: int, sample_rate: int = 16000) -> int:
    """Frames that lie wholly within this many samples."""
    window, shift = window_and_shift(sample_rate)
    return max(0, 1 + (samples - window) // shift)


class LogMelFrames(ABC):
    """The frames of a track, computed when they are asked for.

    Frame k covers the 25 ms from k x 10 ms on. It is always computed within the same block of frames,
    so that it has the same bits whichever others are asked for with it, and however long the track
    is, no more than a block is held in double precision.

    Args:
        sample_rate: Samples per second.
        num_mels: Mel bins.
    """

    BLOCK = 512  # frames; smaller blocks cost more calls

    def __init__(self, sample_rate: int, num_mels: int) -> None:
        self.sample_rate, self.num_mels = sample_rate, num_mels
        self._block = lru_cache(_KEPT_BLOCKS)(self._compute)

    @abstractmethod
    def reach(self, stop: int | None) -> int:
        """Samples that are known to be there: at least ``stop``, or all of the track."""

    @abstractmethod
    def _samples(self, start: int, stop: int) -> np.ndarray:
        """Samples from ``start`` to before ``stop``, fewer where the track ends before."""

    def _compute(self, index: int) -> np.ndarray:
        start = index * self.BLOCK * window_and_shift(self.sample_rate)[1]
        length = num_samples(self.BLOCK, self.sample_rate)
        samples = np.zeros(length, dtype=np.float32)
        inside = self._samples(start, start + length)
        samples[: len(inside)] = inside
        return log_mel(torch.from_numpy(samples), self.sample_rate, self.num_mels).numpy()

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Frames from ``start`` to before ``stop``, all within the track.

        Returns:
            float32 (stop - start, num_mels).
        """
        if stop <= start:
            return np.empty((0, self.num_mels), dtype=np.float32)
        first, last = start // self.BLOCK, (stop - 1) // self.BLOCK
        blocks = np.concatenate([self._block(index) for index in range(first, last + 1)])
        return blocks[start - first * self.BLOCK : stop - first * self.BLOCK]


class LogMelTrack(LogMelFrames):
    """Frames of a track that is at hand as a whole.

    Args:
        waveform: (samples,) in [-1, 1].
        sample_rate: Samples per second.
        num_mels: Mel bins.

    Attributes:
        num_samples: Length of the track.
        num_frames: Frames within it.
    """

    def __init__(self, waveform: np.ndarray, sample_rate: int = 16000, num_mels: int = 128) -> None:
        super().__init__(sample_rate, num_mels)
        self.waveform = waveform
        self.num_samples = len(waveform)
        self.num_frames = num_frames(self.num_samples, sample_rate)

    def reach(self, stop: int | None) -> int:
        """See :class:`LogMelFrames`."""
        return self.num_samples

    def _samples(self, start: int, stop: int) -> np.ndarray:
        return self.waveform[start:stop]


class LogMelStream(LogMelFrames):
    """Frames of a track that is read forward: none may be asked for a block before the latest one.

    Args:
        sound: The track; its last block is held.
        num_mels: Mel bins.
    """

    def __init__(self, sound: SoundStream, num_mels: int = 128) -> None:
        super().__init__(sound.sample_rate, num_mels)
        self._sound = sound

    def reach(self, stop: int | None) -> int:
        """See :class:`LogMelFrames`."""
        return self._sound.reach(stop)

    def _samples(self, start: int, stop: int) -> np.ndarray:
        return self._sound.read(start, stop)
