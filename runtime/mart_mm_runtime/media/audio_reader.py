"""The sound of a media file as one mono waveform."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import av
import numpy as np

from mart_mm_runtime.errors import MediaError
from mart_mm_runtime.media.streams import find_audio_stream, find_video_stream

_GAP = 0.05  # seconds; time stamps of neighbouring frames are off by less than this when rounded


def read_audio(path: str, sample_rate: int = 16000) -> np.ndarray | None:
    """Decode the audio stream of :func:`.find_audio_stream`, resampled, as the mean of its channels.

    Sample 0 lies at the time of the first video frame (of the first sample, in a file without
    video): sound that starts earlier is cut, sound that starts later is preceded by zeros. Where
    the stream has a gap or damaged packets there are zeros, so that all that follows stays at its
    time.

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
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(str(path), f'cannot be opened ({error})') from error
    with container:
        audio = find_audio_stream(container)
        if audio is None:
            return None
        runs, zero = _decode(container, audio, sample_rate)
    placed = [(round((run.start - zero) * sample_rate), run.join()) for run in runs]
    length = max((at + len(samples) for at, samples in placed), default=0)
    if length <= 0:
        return None
    waveform = np.zeros(length, dtype=np.float32)
    for at, samples in placed:
        samples = samples[max(0, -at) :]
        waveform[max(0, at) : max(0, at) + len(samples)] = samples
    return waveform


@dataclass
class _Run:
    """Sound without a gap."""

    start: float  # seconds
    rate: int  # of the source
    layout: str
    resampler: av.AudioResampler
    length: int = 0  # samples of the source
    pieces: list[np.ndarray] = field(default_factory=list)

    def add(self, frame: av.AudioFrame | None) -> None:
        if frame is not None:
            self.length += frame.samples
        # the mean in float: FFmpeg's own mixing to mono makes sound that is in all channels louder
        self.pieces += [piece.to_ndarray().mean(0) for piece in self.resampler.resample(frame)]

    def join(self) -> np.ndarray:
        return np.concatenate(self.pieces) if self.pieces else np.empty(0, dtype=np.float32)


def _decode(
    container: av.container.InputContainer, audio: av.AudioStream, sample_rate: int
) -> tuple[list[_Run], float]:
    """Runs of sound, and the time of the first video frame, from one pass over the packets."""
    video = find_video_stream(container)
    shown: list[int] = []
    runs: list[_Run] = []
    limit = ((container.start_time or 0) + (container.duration or 0)) / av.time_base + 1
    for packet in _packets(container):
        if video is not None and packet.stream_index == video.index:
            if packet.size and packet.pts is not None and not packet.is_discard:
                shown = [min([packet.pts, *shown])]
            continue
        if packet.stream_index != audio.index:
            continue
        try:
            frames = packet.decode()
        except av.FFmpegError:  # damaged: the packets around it are real sound at its right time
            continue
        for frame in frames:
            run = runs[-1] if runs else None
            expected = run.start + run.length / run.rate if run else 0.0
            time = expected if frame.time is None else float(frame.time)
            is_gap = abs(time - expected) > _GAP and time < limit
            if run is None or is_gap or (run.rate, run.layout) != _kind(frame):
                if run is not None:
                    run.add(None)
                resampler = av.AudioResampler('fltp', frame.layout, sample_rate)
                run = _Run(time, *_kind(frame), resampler)
                runs.append(run)
            run.add(frame)
    if runs:
        runs[-1].add(None)
    if shown:
        return runs, float(shown[0] * video.time_base)
    return runs, runs[0].start if runs else 0.0


def _kind(frame: av.AudioFrame) -> tuple[int, str]:
    return frame.sample_rate, frame.layout.name


def _packets(container: av.container.InputContainer) -> Iterator[av.Packet]:
    try:
        yield from container.demux()
    except av.FFmpegError:  # a damaged tail: what came before it stands
        return
