"""The sound of a media file read forward, a stretch at a time."""

from __future__ import annotations

import av
import numpy as np

from mart_mm_runtime.errors import MediaError
from mart_mm_runtime.media.audio_reader import (
    checked_sound,
    first_shown,
    length_limit,
    packets_of,
    sound_pieces,
)
from mart_mm_runtime.media.faults import check_seconds, check_sound, media_faults, open_media
from mart_mm_runtime.media.streams import find_audio_stream


class SoundStream:
    """The samples of :func:`~mart_mm_runtime.media.audio_reader.read_audio`, of which only few are held.

    They are decoded once, from the start on, as far as is asked for; what lies before the latest
    stretch that was read is forgotten.

    Args:
        path: The file.
        sample_rate: Samples per second.

    Attributes:
        has_sound: Whether the file has a sound stream.

    Raises:
        MediaError: When the file cannot be opened, and where its sound is none that a file has.
    """

    def __init__(self, path: str, sample_rate: int = 16000) -> None:
        self.path, self.sample_rate = str(path), sample_rate
        self._zero = first_shown(self.path)
        self._container = open_media(self.path)
        stream = find_audio_stream(self._container)
        self.has_sound = stream is not None
        self._pieces = iter(())
        if stream is not None:
            self._check(stream)
            packets = packets_of(self._container, stream)
            self._pieces = sound_pieces(packets, sample_rate, length_limit(self._container))
        self._held = np.zeros(0, dtype=np.float32)  # samples from ``_first`` to before ``_end``
        self._first = self._end = 0

    def _check(self, stream: av.AudioStream) -> None:
        try:
            check_sound(self.path, stream.sample_rate, stream.channels)
        except MediaError:
            self.close()
            raise

    def reach(self, stop: int | None) -> int:
        """Decode up to a sample.

        Args:
            stop: Index of the sample; None for the whole track.

        Returns:
            Samples that are known to be there: at least ``stop``, or all of the track.

        Raises:
            MediaError: When the sound is damaged beyond what can be left out, or no numbers.
        """
        while stop is None or self._end < stop:
            with media_faults(self.path, 'its sound cannot be read'):
                piece = next(self._pieces, None)
                if piece is None:
                    break
                if self._zero is None:
                    self._zero = piece.start
                samples = checked_sound(self.path, piece.samples)
                self._write(piece.place(self._zero, self.sample_rate), samples)
        return self._end

    def _write(self, at: int, samples: np.ndarray) -> None:
        """Put samples in their place; zeros lie where the track has a gap."""
        forgotten = max(0, self._first - at)
        at, samples = max(at, self._first), samples[forgotten:]
        stop = at + len(samples)
        if not len(samples):
            return
        check_seconds(self.path, stop / self.sample_rate, 'the sound')
        if stop - self._first > len(self._held):  # room for more, so that it is seldom made
            held = np.zeros(2 * (stop - self._first), dtype=np.float32)
            held[: self._end - self._first] = self._held[: self._end - self._first]
            self._held = held
        self._held[at - self._first : stop - self._first] = samples
        self._end = max(self._end, stop)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Samples from ``start`` to before ``stop``, fewer where the track ends before.

        Args:
            start: At or behind the start of the latest stretch.
            stop: End of the stretch.

        Returns:
            float32 (n,).

        Raises:
            ValueError: For a stretch that starts before the latest one.
        """
        if start < self._first:
            raise ValueError(
                f'{self.path}: sample {start} is asked for after sample {self._first}: the sound is '
                'read forward only; open the file anew'
            )
        self.reach(stop)
        self._forget(min(start, self._end))
        return self._held[start - self._first : min(stop, self._end) - self._first].copy()

    def _forget(self, start: int) -> None:
        if start > self._first:
            self._held = self._held[start - self._first : self._end - self._first].copy()
            self._first = start

    def close(self) -> None:
        """Release the file."""
        self._container.close()
