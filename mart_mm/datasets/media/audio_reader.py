"""The sound of a media file as one mono waveform."""

from __future__ import annotations

import av
import numpy as np

from mart_mm.errors import MediaError


def read_audio(path: str, sample_rate: int = 16000) -> np.ndarray | None:
    """Decode the first audio stream, mixed to mono and resampled.

    Sample 0 lies at the time of the first video frame (of the first sample, in a file without video):
    sound that starts earlier is cut, sound that starts later is preceded by zeros.

    Args:
        path: The file.
        sample_rate: Samples per second of the result.

    Returns:
        float32 (n,) in [-1, 1], or None when there is no audio stream or nothing of it decodes.

    Raises:
        MediaError: When the file cannot be opened.
    """
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise MediaError(str(path), f'cannot be opened ({error})') from error
    with container:
        if not container.streams.audio:
            return None
        start, pieces = _decode(container, sample_rate)
        if not pieces:
            return None
        waveform = np.concatenate(pieces)
        if container.streams.video:
            video = container.streams.video[0]
            start -= float((video.start_time or 0) * video.time_base)
        else:
            start = 0.0
    shift = round(start * sample_rate)
    return np.pad(waveform, (shift, 0)) if shift > 0 else waveform[-shift:]


def _decode(
    container: av.container.InputContainer, sample_rate: int
) -> tuple[float, list[np.ndarray]]:
    """Time of the first sample in seconds, and pieces of waveform; stops where the file is damaged."""
    resampler = av.AudioResampler(format='flt', layout='mono', rate=sample_rate)
    pieces: list[np.ndarray] = []
    start = 0.0
    try:
        for frame in container.decode(audio=0):
            if not pieces and frame.time is not None:
                start = float(frame.time)
            pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
        pieces += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
    except (av.FFmpegError, ValueError):
        # a damaged tail: what was decoded is real sound at its right time
        pass
    return start, [piece.astype(np.float32) for piece in pieces if piece.size]
