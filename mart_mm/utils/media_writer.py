"""Write video files with sound, for embedded data and tests."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

_TICKS = 90000  # per second, the time base of variable-rate video


def write_video(
    path: str | Path,
    frames: np.ndarray,
    fps: float,
    audio: np.ndarray | None = None,
    sample_rate: int = 16000,
    times: Sequence[float] | None = None,
    gop: int = 12,
    crf: int = 18,
    codec: str = 'libx264',
) -> None:
    """Write video, by default h264, and AAC sound.

    Args:
        path: The container follows from the suffix (.mp4, .mkv, ...).
        frames: uint8 (n, H, W, 3), RGB; H and W even.
        fps: Frames per second.
        audio: float32 (samples,), mono in [-1, 1]; None writes no audio stream.
        sample_rate: Of the sound, per second.
        times: Presentation time of each frame in seconds, for a variable frame rate.
        gop: Frames between key frames.
        crf: Quality of h264; smaller is better.
        codec: FFmpeg's name of the video encoder; ``crf`` is for ``'libx264'`` only.

    Raises:
        ValueError: For pictures of another shape or with odd sides; for times that do not rise.
    """
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or not len(frames):
        raise ValueError(f'frames must be uint8 (n, H, W, 3), got {frames.dtype} {frames.shape}')
    height, width = frames.shape[1:3]
    if height % 2 or width % 2:
        raise ValueError(f'yuv420p needs even sides, got {width}x{height}')
    if times is not None and len(times) != len(frames):
        raise ValueError(f'{len(times)} times for {len(frames)} frames')
    if times is not None and np.diff(times).min(initial=1.0) <= 0:
        raise ValueError('times must rise from frame to frame')
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), 'w') as container:
        video = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1000))
        video.width, video.height, video.pix_fmt = width, height, 'yuv420p'
        video.gop_size = gop
        video.thread_count = 1
        if codec == 'libx264':
            # with macroblock trees the same pictures may give other bytes
            settings = 'scenecut=0:mbtree=0'
            video.options = {'crf': str(crf), 'preset': 'veryfast', 'x264-params': settings}
        if times is not None:
            video.codec_context.time_base = Fraction(1, _TICKS)
        sound = None
        if audio is not None:
            sound = container.add_stream('aac', rate=sample_rate, layout='mono')
        for index, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format='rgb24')
            if times is not None:
                frame.time_base = Fraction(1, _TICKS)
                frame.pts = round(times[index] * _TICKS)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        if sound is not None:
            _write_sound(container, sound, audio, sample_rate)


def _write_sound(
    container: av.container.OutputContainer,
    stream: av.AudioStream,
    audio: np.ndarray,
    sample_rate: int,
) -> None:
    size = 1024  # samples of an AAC frame
    for start in range(0, len(audio), size):
        piece = np.ascontiguousarray(audio[None, start : start + size], dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(piece, format='fltp', layout='mono')
        frame.sample_rate, frame.pts = sample_rate, start
        frame.time_base = Fraction(1, sample_rate)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
