"""Which part of a video goes where: windows of it, their segments, and the sound of each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mart_mm_runtime.log_mel import log_mel, num_frames, num_samples
from mart_mm_runtime.media.sound_stream import SoundStream
from mart_mm_runtime.metadata import FrameSettings, SoundSettings

_ROUNDING = 1e-6  # seconds; times of frames and edges of segments are rounded differently


class Segments(NamedTuple):
    """Segments of a window, S of them.

    Attributes:
        times: (S, 2), start and end in seconds.
        clip_times: (S, 2), of the frames that are seen.
        frame_indices: int (S, T).
    """

    times: np.ndarray
    clip_times: np.ndarray
    frame_indices: np.ndarray


def cut_windows(duration: float, window_seconds: float) -> list[tuple[float, float]]:
    """Windows of equal length that follow each other, as near to a length as is possible.

    Args:
        duration: Of the video, seconds.
        window_seconds: The length wanted; a video of up to one and a half of it is one window.

    Returns:
        Start and end of each, in seconds.
    """
    edges = np.linspace(0.0, duration, max(1, round(duration / window_seconds)) + 1).tolist()
    return list(zip(edges[:-1], edges[1:], strict=True))


def choose_segments(
    times: np.ndarray, duration: float, window: tuple[float, float], settings: FrameSettings
) -> Segments:
    """Split a window into segments of equal duration, with a clip in the middle of each.

    In a segment shorter than a clip the last frame is repeated; where no frame starts it is the one
    on screen.

    Args:
        times: (n,), when each frame of the video is shown, in seconds.
        duration: Of the video, seconds.
        window: Start and end in seconds.
        settings: Of the model.
    """
    edges = np.linspace(*window, settings.num_segments + 1)
    steps = np.arange(settings.clip_len) * settings.frame_interval
    indices = np.empty((settings.num_segments, settings.clip_len), dtype=np.int64)
    for row, start, end in zip(indices, edges[:-1], edges[1:], strict=True):
        first, stop = np.searchsorted(times, np.array([start, end]) - _ROUNDING)
        if first == stop:
            first, stop = max(0, stop - 1), max(1, stop)
        slack = max(0, int(stop - first) - int(steps[-1]) - 1)
        row[:] = np.minimum(first + slack // 2 + steps, stop - 1)
    shown_until = np.append(times[1:], duration)
    clip_times = np.stack([times[indices[:, 0]], shown_until[indices[:, -1]]], 1)
    return Segments(np.stack([edges[:-1], edges[1:]], 1), clip_times, indices)


def cut_log_mel(
    sound: SoundStream,
    clip_times: np.ndarray,
    window: tuple[float, float | None],
    settings: SoundSettings,
) -> tuple[np.ndarray, bool]:
    """Log-mel centred on the clips, on a grid of frames from the start of the sound.

    What would leave the sound or the window is moved inside; a clip whose centre lies behind the end
    of the sound gets silence. Sound shorter than is needed is followed by zeros.

    Args:
        sound: Of the video, read forward.
        clip_times: (S, 2) in seconds.
        window: Start and end in seconds; no end where the window is the whole video.
        settings: Of the model.

    Returns:
        float32 (S, F, mel bins), and whether there is sound; without, all is zero.
    """
    rate, shift = settings.sample_rate, settings.shift
    end = None if window[1] is None else round(window[1] * rate)
    reached = sound.reach(end)
    end = reached if end is None else min(end, reached)
    first, stop = -(-round(window[0] * rate) // shift), num_frames(end, settings)
    length = min(settings.num_frames, stop - first)
    audios = np.zeros((len(clip_times), settings.num_frames, settings.num_mels), dtype=np.float32)
    if length <= 0:
        return audios, False
    samples = sound.read(first * shift, end)
    centres = clip_times.mean(1) * rate
    starts = np.rint((centres - num_samples(length, settings) / 2) / shift).astype(int)
    starts = np.where(centres < end, starts.clip(first, stop - length), starts)
    for audio, start in zip(audios, starts.tolist(), strict=True):
        heard = min(start + length, stop) - min(start, stop)
        if heard:
            begin = (start - first) * shift
            audio[:heard] = log_mel(samples[begin : begin + num_samples(heard, settings)], settings)
        audio[heard:length] = np.log(settings.floor)
    return audios, True
