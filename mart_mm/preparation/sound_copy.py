"""One stream of sound on its way into a small copy."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

import av
import numpy as np

from mart_mm.errors import MediaError

_GAP = 0.05  # seconds; below it, time stamps are only rounded
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_LAYOUTS = {1: 'mono', 2: 'stereo', 6: '5.1', 8: '7.1'}
_BITS_PER_CHANNEL = 64_000  # per second


class SoundCopy:
    """Keeps AAC, or what else the copy may have, as it is, and encodes anything else as AAC.

    Sound stays at its time: gaps and packets that do not decode become silence, and what lies before
    the first frame is cut.

    Args:
        container: Of the copy.
        source: The stream.
        zero: Time of the first video frame in the source, seconds; None, where the file does not tell,
            for that of the first sound, as in :func:`~mart_mm.datasets.media.audio_reader.read_audio`.
        kept: FFmpeg's names of the decoders of what is not encoded again.
    """

    def __init__(
        self,
        container: av.container.OutputContainer,
        source: av.AudioStream,
        zero: float | None,
        kept: Collection[str] = ('aac',),
    ) -> None:
        self.container, self.zero = container, zero
        codec = source.codec_context
        # without extradata AAC's packets are those of a broadcast, which mp4 does not take
        is_broadcast = codec.name == 'aac' and not codec.extradata
        self.is_copied = codec.name in kept and not is_broadcast
        if self.is_copied:
            self.stream = container.add_stream_from_template(source)
            return
        rate = codec.sample_rate if codec.sample_rate in _AAC_RATES else 48000
        if not codec.sample_rate or not codec.channels:
            raise MediaError(container.name, f'stream {source.index} of its sound is unreadable')
        # some files tell the number of channels only
        layout = _LAYOUTS.get(codec.channels) if 'channels' in codec.layout.name else None
        self.rate, self.layout = rate, layout or codec.layout.name
        self.stream = container.add_stream('aac', rate=rate, layout=self.layout)
        self.stream.bit_rate = _BITS_PER_CHANNEL * codec.channels
        self.resampler: av.AudioResampler | None = None
        self.kind: tuple | None = None  # of the frames the resampler takes
        self.expected = 0.0  # time of the next frame after the first picture, seconds
        self.written = 0  # samples
        self.skipped = 0  # samples still to be cut

    def add(self, packet: av.Packet) -> None:
        """Take the next packet, an empty one at the end."""
        if self.is_copied:
            if packet.pts is not None and packet.dts is not None:
                if self.zero is None:
                    self.zero = float(packet.pts * packet.time_base)
                shift = round(self.zero / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = self.stream
                self.container.mux(packet)
            return
        try:
            frames = packet.decode()
        except av.FFmpegError:  # the next frame's time tells how long the silence is
            return
        for frame in frames:
            self._add_frame(frame)

    def end(self) -> None:
        """Write what is held back."""
        if not self.is_copied:
            self._flush()
            self.container.mux(self.stream.encode())

    def _add_frame(self, frame: av.AudioFrame) -> None:
        if self.zero is None:
            self.zero = frame.time or 0.0
        start = self.expected if frame.time is None else frame.time - self.zero
        kind = (frame.sample_rate, frame.layout.name, frame.format.name)
        if abs(start - self.expected) > _GAP or self.kind is None:
            self._flush()
            place = round(start * self.rate)
            self.skipped = max(0, self.written - place)
            for size in _pieces(place - self.written):
                self._write(np.zeros((self.stream.codec_context.channels, size), np.float32))
            self.expected = start
        elif kind != self.kind:
            self._flush()
        if self.resampler is None:
            self.resampler = av.AudioResampler('fltp', self.layout, self.rate)
        self.kind = kind
        self.expected += frame.samples / frame.sample_rate
        for piece in self.resampler.resample(frame):
            self._write(piece.to_ndarray())

    def _flush(self) -> None:
        if self.resampler is not None:
            for piece in self.resampler.resample(None):
                self._write(piece.to_ndarray())
        self.resampler = None

    def _write(self, samples: np.ndarray) -> None:
        cut = min(self.skipped, samples.shape[1])
        self.skipped -= cut
        samples = np.ascontiguousarray(samples[:, cut:], dtype=np.float32)
        if not samples.shape[1]:
            return
        frame = av.AudioFrame.from_ndarray(samples, format='fltp', layout=self.layout)
        frame.sample_rate, frame.pts, frame.time_base = (
            self.rate,
            self.written,
            Fraction(1, self.rate),
        )
        self.written += samples.shape[1]
        self.container.mux(self.stream.encode(frame))


def _pieces(length: int) -> list[int]:
    """Sizes of at most a second's samples that add up to ``length``; none if it is negative."""
    size = 48000
    return [min(size, length - start) for start in range(0, max(0, length), size)]
