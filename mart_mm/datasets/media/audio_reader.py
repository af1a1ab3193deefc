"""The sound of a media file as one mono waveform."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import av
import numpy as np

from mart_mm.datasets.media.faults import check_seconds, check_sound, media_faults, open_media
from mart_mm.datasets.media.streams import find_audio_stream, find_video_stream
from mart_mm.errors import MediaError

_LOUDEST = 1e4  # 80 dB above full scale: no recording, and squares of it still are finite
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
        MediaError: When the file cannot be opened, and where its sound is none that a file has, or no
            numbers.
    """
    with media_faults(path, 'its sound cannot be read'), open_media(path) as container:
        audio = find_audio_stream(container)
        if audio is None:
            return None
        check_sound(path, audio.sample_rate, audio.channels)
        clock = _Clock(container)
        packets = clock.watch(packets_of(container), audio)
        pieces = list(sound_pieces(packets, sample_rate, length_limit(container)))
        zero = clock.zero
    if zero is None:
        zero = pieces[0].start if pieces else 0.0
    placed = [(piece.place(zero, sample_rate), piece.samples) for piece in pieces]
    length = max((at + len(samples) for at, samples in placed), default=0)
    if length <= 0:
        return None
    check_seconds(path, length / sample_rate, 'the sound')
    with media_faults(path, 'its sound cannot be read'):
        waveform = np.zeros(length, dtype=np.float32)
    for at, samples in placed:
        samples = samples[max(0, -at) :]
        waveform[max(0, at) : max(0, at) + len(samples)] = samples
    return checked_sound(path, waveform)


def checked_sound(source: str, waveform: np.ndarray) -> np.ndarray:
    """The same samples, when they are sound: finite, and not beyond all loudness.

    Args:
        source: Names the file in the error.
        waveform: Float, any shape; full scale is 1.

    Raises:
        MediaError: For other samples.
    """
    is_sound = np.abs(waveform) <= _LOUDEST  # not so for nan
    if not is_sound.all():
        raise MediaError(
            source,
            f'sound: {np.count_nonzero(~is_sound)} of {waveform.size} samples are not finite or beyond '
            f'{_LOUDEST:g}, where full scale is 1: encode the sound anew',
        )
    return waveform


def first_shown(path: str) -> float | None:
    """Seconds of the container's clock at which the first video frame is shown; None without video.

    Raises:
        MediaError: When the file cannot be opened.
    """
    with media_faults(path, 'cannot be read'), open_media(path) as container:
        clock = _Clock(container)
        for _ in clock.watch(packets_of(container), None):
            pass
        return clock.zero


class _Clock:
    """Notes when the first video frame is shown while packets pass by.

    Args:
        container: Whose packets they are.
    """

    def __init__(self, container: av.container.InputContainer) -> None:
        self._video = find_video_stream(container)
        self._first: int | None = None

    def watch(
        self, packets: Iterator[av.Packet], audio: av.AudioStream | None
    ) -> Iterator[av.Packet]:
        """The packets of the sound."""
        video = self._video
        for packet in packets:
            index = (
                packet.stream.index
            )  # the last, empty ones have no ``stream_index`` of their own
            if video is not None and index == video.index:
                if packet.size and packet.pts is not None and not packet.is_discard:
                    first = self._first
                    self._first = packet.pts if first is None else min(first, packet.pts)
            elif audio is not None and index == audio.index:
                yield packet

    @property
    def zero(self) -> float | None:
        """Seconds; None where no frame passed."""
        return None if self._first is None else float(self._first * self._video.time_base)


class SoundPiece(NamedTuple):
    """Some samples of a stretch of sound without a gap.

    Attributes:
        start: Seconds at which the stretch starts.
        offset: Samples of it before these.
        samples: float32 (n,).
    """

    start: float
    offset: int
    samples: np.ndarray

    def place(self, zero: float, sample_rate: int) -> int:
        """Index of the first sample in a track whose sample 0 lies at ``zero`` seconds."""
        return round((self.start - zero) * sample_rate) + self.offset


@dataclass
class _Run:
    """Sound without a gap."""

    start: float  # seconds
    rate: int  # of the source
    layout: str
    resampler: av.AudioResampler
    length: int = 0  # samples of the source
    given: int = 0  # samples of the result

    def add(self, frame: av.AudioFrame | None) -> Iterator[SoundPiece]:
        if frame is not None:
            self.length += frame.samples
        # the mean in float: FFmpeg's own mixing to mono makes sound that is in all channels louder
        for resampled in self.resampler.resample(frame):
            piece = SoundPiece(self.start, self.given, resampled.to_ndarray().mean(0))
            self.given += len(piece.samples)
            yield piece


def length_limit(container: av.container.InputContainer) -> float:
    """Seconds of the container's clock behind which time stamps are not believed."""
    return ((container.start_time or 0) + (container.duration or 0)) / av.time_base + 1


def sound_pieces(
    packets: Iterable[av.Packet], sample_rate: int, limit: float
) -> Iterator[SoundPiece]:
    """Decode the packets of a sound stream, resampled, as the mean of its channels.

    Args:
        packets: Of one stream, in the order of the file.
        sample_rate: Samples per second of the result.
        limit: See :func:`length_limit`.
    """
    run: _Run | None = None
    for packet in packets:
        try:
            frames = packet.decode()
        except av.FFmpegError:  # damaged: the packets around it are real sound at its right time
            continue
        for frame in frames:
            expected = run.start + run.length / run.rate if run else 0.0
            time = expected if frame.time is None else float(frame.time)
            is_gap = abs(time - expected) > _GAP and time < limit
            if run is None or is_gap or (run.rate, run.layout) != _kind(frame):
                if run is not None:
                    yield from run.add(None)
                resampler = av.AudioResampler('fltp', frame.layout, sample_rate)
                run = _Run(time, *_kind(frame), resampler)
            yield from run.add(frame)
    if run is not None:
        yield from run.add(None)


def _kind(frame: av.AudioFrame) -> tuple[int, str]:
    return frame.sample_rate, frame.layout.name


def packets_of(
    container: av.container.InputContainer, stream: av.AudioStream | None = None
) -> Iterator[av.Packet]:
    """Packets of a stream, or of all; those before a damaged tail."""
    try:
        yield from container.demux() if stream is None else container.demux(stream)
    except av.FFmpegError:
        return
