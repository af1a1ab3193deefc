"""A video in memory, read as a file is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from mart_mm.datasets.media.audio_reader import checked_sound
from mart_mm.datasets.media.backends import scaled_size
from mart_mm.datasets.media.log_mel_track import LogMelFrames, LogMelTrack
from mart_mm.datasets.media.opened import OpenedFrames, OpenedVideo
from mart_mm.errors import MediaError


class VideoArrays(NamedTuple):
    """A video in memory.

    Attributes:
        frames: uint8 (n, H, W, 3), RGB.
        fps: Frames per second.
        waveform: Float (samples,) or (channels, samples) in [-1, 1], from the first frame on; None for
            a video without sound.
        sample_rate: Of the waveform.
        transcript: What is said: a text, or (start, end, text) of each line in seconds; None or empty
            where nothing is known of it.
        name: Of the video, for reports and files.
    """

    frames: np.ndarray
    fps: float
    waveform: np.ndarray | None = None
    sample_rate: int | None = None
    transcript: str | Sequence[tuple[float, float, str]] | None = None
    name: str = ''

    def check(self) -> VideoArrays:
        """Itself, when it is a video.

        Raises:
            MediaError: Naming the field that is wrong.
        """
        frames, name = self.frames, self.name or 'arrays'
        if not isinstance(frames, np.ndarray) or frames.dtype != np.uint8 or frames.ndim != 4:
            given = f'{frames.dtype} {frames.shape}' if isinstance(frames, np.ndarray) else frames
            raise MediaError(name, f'frames must be uint8 (n, H, W, 3), RGB; got {given!r:.80}')
        if not len(frames) or frames.shape[-1] != 3 or min(frames.shape[1:3]) < 2:
            raise MediaError(name, f'frames must be uint8 (n, H, W, 3), RGB; got {frames.shape}')
        if not 0 < self.fps < float('inf'):
            raise MediaError(name, f'fps={self.fps}: a rate above 0 is needed')
        if self.waveform is None:
            return self
        waveform = np.asarray(self.waveform)
        if waveform.ndim not in (1, 2) or not np.issubdtype(waveform.dtype, np.floating):
            raise MediaError(
                name,
                'waveform must be float (samples,) or (channels, samples) in [-1, 1]; got '
                f'{waveform.dtype} {waveform.shape}',
            )
        if waveform.ndim == 2 and waveform.shape[0] > waveform.shape[1]:
            raise MediaError(name, f'waveform {waveform.shape}: channels come first, transpose it')
        if not self.sample_rate or self.sample_rate < 1:
            raise MediaError(
                name, f'sample_rate={self.sample_rate}: that of the waveform is needed'
            )
        checked_sound(name, waveform)
        return self


class OpenedArrays(OpenedVideo):
    """A video in memory.

    Args:
        arrays: The video.

    Raises:
        MediaError: When it is none.
    """

    def __init__(self, arrays: VideoArrays) -> None:
        super().__init__()
        self.arrays = arrays.check()

    def _open_frames(self, size: int | None) -> OpenedFrames:
        return ArrayFrames(self.arrays, size)

    def _open_sound(self, sample_rate: int, num_mels: int) -> LogMelFrames:
        waveform, rate = self.arrays.waveform, self.arrays.sample_rate
        if waveform is None:
            return LogMelTrack(np.zeros(0, dtype=np.float32), sample_rate, num_mels)
        return LogMelTrack(resample(np.asarray(waveform), rate, sample_rate), sample_rate, num_mels)


class ArrayFrames(OpenedFrames):
    """Frames in memory, scaled as a file's are.

    Args:
        arrays: The video.
        size: Short side in pixels, or None.
    """

    def __init__(self, arrays: VideoArrays, size: int | None) -> None:
        count, height, width = arrays.frames.shape[:3]
        times = np.arange(count) / arrays.fps
        super().__init__(times, count / arrays.fps, scaled_size(width, height, size))
        self._frames, self._reformatter = arrays.frames, VideoReformatter()

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """See :class:`OpenedFrames`."""
        chosen = self._frames[np.asarray(indices, dtype=int)]
        if self.size == chosen.shape[2:0:-1]:
            return chosen
        pictures = []
        for picture in chosen:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format='rgb24')
            scaled = self._reformatter.reformat(frame, *self.size, 'rgb24', threads=1)
            pictures.append(scaled.to_ndarray())
        return np.stack(pictures)

    def release(self) -> None:
        """Nothing is open."""


def resample(waveform: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Mean of the channels at another rate.

    Args:
        waveform: Float (samples,) or (channels, samples).
        rate: Its samples per second.
        wanted: Those of the result.

    Returns:
        float32 (n,).
    """
    mono = waveform if waveform.ndim == 1 else waveform.mean(0)
    mono = np.ascontiguousarray(mono, dtype=np.float32)
    if rate == wanted:
        return mono
    resampler, pieces = av.AudioResampler('fltp', 'mono', wanted), []
    for start in range(0, len(mono), rate):  # a second at a time
        frame = av.AudioFrame.from_ndarray(mono[None, start : start + rate], 'fltp', 'mono')
        frame.sample_rate, frame.pts = rate, start
        pieces += resampler.resample(frame)
    pieces += resampler.resample(None) if len(mono) else []
    return np.concatenate([p.to_ndarray()[0] for p in pieces] or [np.zeros(0, np.float32)])
