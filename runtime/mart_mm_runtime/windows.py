"""Which part of a video goes into which segment: the same windows cut picture and sound."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mart_mm_runtime.log_mel import log_mel, num_frames, num_samples
from mart_mm_runtime.metadata import FrameSettings, SoundSettings

_ROUNDING = 1e-6  # seconds; times of frames and edges of segments are rounded differently


class Windows(NamedTuple):
    """Segments of a video, S of them.

    Attributes:
        segment_times: (S, 2), start and end in seconds.
        clip_times: (S, 2), of the frames that are seen.
        frame_indices: int (S, T).
    """

    segment_times: np.ndarray
    clip_times: np.ndarray
    frame_indices: np.ndarray


def choose_windows(
    times: np.ndarray, duration: float, num_segments: int, settings: FrameSettings
) -> Windows:
    """Split a video into segments of equal duration, with a clip in the middle of each.

    In a segment shorter than a clip the last frame is repeated; where no frame starts it is the one
    on screen.

    Args:
        times: (n,), when each frame is shown, in seconds.
        duration: Seconds.
        num_segments: S.
        settings: Of the model.
    """
    edges = np.linspace(0.0, duration, num_segments + 1)
    steps = np.arange(settings.clip_len) * settings.frame_interval
    indices = np.empty((num_segments, settings.clip_len), dtype=np.int64)
    for row, start, end in zip(indices, edges[:-1], edges[1:], strict=True):
        first, stop = np.searchsorted(times, np.array([start, end]) - _ROUNDING)
        if first == stop:
            first, stop = max(0, stop - 1), max(1, stop)
        slack = max(0, int(stop - first) - int(steps[-1]) - 1)
        row[:] = np.minimum(first + slack // 2 + steps, stop - 1)
    shown_until = np.append(times[1:], duration)
    clip_times = np.stack([times[indices[:, 0]], shown_until[indices[:, -1]]], 1)
    return Windows(np.stack([edges[:-1], edges[1:]], 1), clip_times, indices)


def cut_log_mel(
    waveform: np.ndarray | None, clip_times: np.ndarray, settings: SoundSettings
) -> tuple[np.ndarray, bool]:
    """Log-mel windows centred on the clips, on a grid of frames from the start of the sound.

    A window that would leave the sound is moved inside; a clip whose centre lies behind its end gets
    silence. Sound shorter than a window is followed by zeros.

    Args:
        waveform: (samples,) of the whole video, or None.
        clip_times: (S, 2) in seconds.
        settings: Of the model.

    Returns:
        float32 (S, F, mel bins), and whether there is sound; without, all is zero.
    """
    samples = 0 if waveform is None else len(waveform)
    stop = num_frames(samples, settings)
    length = min(settings.num_frames, stop)
    audios = np.zeros((len(clip_times), settings.num_frames, settings.num_mels), dtype=np.float32)
    if not length:
        return audios, False
    centres = clip_times.mean(1) * settings.sample_rate
    starts = np.rint((centres - num_samples(length, settings) / 2) / settings.shift).astype(int)
    starts = np.where(centres < samples, starts.clip(0, stop - length), starts)
    for window, start in zip(audios, starts.tolist(), strict=True):
        first, last = min(start, stop), min(start + length, stop)
        if last > first:
            begin = first * settings.shift
            piece = waveform[begin : begin + num_samples(last - first, settings)]
            window[: last - first] = log_mel(piece, settings)
        window[last - first : length] = np.log(settings.floor)
    return audios, True
