"""Frames of a video file by index, exact on constant and variable frame rate."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from types import ModuleType

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from mart_mm.errors import MediaError

BACKENDS = ('auto', 'decord', 'pyav')
# decord retries at the end of a broken file this often; its default of 10,240 takes minutes
os.environ.setdefault('DECORD_EOF_RETRY_MAX', '256')


@cache
def _decord() -> ModuleType | None:
    try:
        import decord
    except (ImportError, OSError):  # no wheel for this platform, or its libraries do not load
        return None
    decord.logging.set_level(decord.logging.FATAL)
    return decord


def _errors() -> tuple[type[Exception], ...]:
    """What the backends raise on media they cannot read."""
    decord = _decord()
    own = (av.FFmpegError, RuntimeError, ValueError)  # MediaError is a RuntimeError
    return own if decord is None else (*own, decord.DECORDError)


def scaled_size(width: int, height: int, short_side: int | None) -> tuple[int, int]:
    """Width and height with the given short side, aspect kept, both even; None keeps the size."""
    if short_side is None:
        return width, height
    scale = short_side / min(width, height)
    return (max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2))


class _Backend(ABC):
    times: np.ndarray  # seconds of each frame, the first one at 0
    frame_duration: float  # seconds the last frame stays
    size: tuple[int, int]  # width, height as returned

    @abstractmethod
    def read(self, indices: Sequence[int]) -> np.ndarray:
        """uint8 (n, H, W, 3)."""

    def close(self) -> None:
        """Release the file."""


class _PyAVBackend(_Backend):
    def __init__(self, path: str, short_side: int | None, num_threads: int) -> None:
        self.path = path
        self.container = av.open(path)
        if not self.container.streams.video:
            self.container.close()
            raise MediaError(path, 'the file has no video stream')
        self.stream = self.container.streams.video[0]
        self.stream.thread_count = num_threads
        pts, keys = self._index()
        if not pts:
            self.container.close()
            raise MediaError(path, 'the video stream holds no frame')
        self.index_of = {value: index for index, value in enumerate(pts)}
        self.pts, self.keys = pts, keys
        base = float(self.stream.time_base)
        self.times = (np.array(pts, dtype=np.float64) - pts[0]) * base
        rate = self.stream.average_rate or self.stream.guessed_rate
        self.frame_duration = 1 / float(rate) if rate else base
        context = self.stream.codec_context
        self.size = scaled_size(context.width, context.height, short_side)
        self.reformatter = VideoReformatter()  # one for all frames: its set-up costs more than a frame

    def _index(self) -> tuple[list[int], list[int]]:
        """Time stamps of all frames in order, and the indices of key frames, without decoding."""
        stamps: dict[int, bool] = {}
        for packet in self.container.demux(self.stream):
            stamp = packet.pts if packet.pts is not None else packet.dts
            if packet.size and stamp is not None and not packet.is_discard:
                stamps[stamp] = packet.is_keyframe
        pts = sorted(stamps)
        return pts, [index for index, value in enumerate(pts) if stamps[value]] or [0]

    def _decode_from(self, index: int) -> Iterator[tuple[int, av.VideoFrame]]:
        self.container.seek(self.pts[index], stream=self.stream, backward=True)
        for frame in self.container.decode(self.stream):
            if frame.pts in self.index_of:
                yield self.index_of[frame.pts], frame

    def read(self, indices: Sequence[int]) -> np.ndarray:
        width, height = self.size
        found: dict[int, np.ndarray] = {}
        decoding: Iterator[tuple[int, av.VideoFrame]] | None = None
        position = -1
        for wanted in sorted(set(indices)):
            key = self.keys[max(0, bisect_right(self.keys, wanted) - 1)]
            if decoding is None or key > position:
                decoding = self._decode_from(key)
            for position, frame in decoding:
                if position >= wanted:
                    break
            else:
                position = -2
            if position != wanted:
                raise MediaError(
                    self.path, f'frame {wanted} of {len(self.pts)} cannot be decoded: the file is damaged'
                )
            picture = self.reformatter.reformat(frame, width, height, 'rgb24')
            found[wanted] = picture.to_ndarray()
        return np.stack([found[index] for index in indices])

    def close(self) -> None:
        self.container.close()


class _DecordBackend(_Backend):
    def __init__(self, path: str, short_side: int | None, num_threads: int) -> None:
        decord = _decord()
        if decord is None:
            raise MediaError(path, "decord is not installed: use backend='pyav'")
        with av.open(path) as container:  # decord can only be told the size when it opens
            if not container.streams.video:
                raise MediaError(path, 'the file has no video stream')
            context = container.streams.video[0].codec_context
            self.size = scaled_size(context.width, context.height, short_side)
        self.reader = decord.VideoReader(
            path, width=self.size[0], height=self.size[1], num_threads=num_threads
        )
        stamps = self.reader.get_frame_timestamp(np.arange(len(self.reader)))  # (n, 2) start, end
        self.times = stamps[:, 0].astype(np.float64) - float(stamps[0, 0])
        self.frame_duration = 1 / self.reader.get_avg_fps()

    def read(self, indices: Sequence[int]) -> np.ndarray:
        return self.reader.get_batch(list(indices)).asnumpy()


class VideoReader:
    """Reads frames by index and knows when each one is shown.

    ``'auto'`` takes decord where it is installed and PyAV otherwise and when decord fails. Pictures are
    returned as stored: rotation tags are not applied.

    Args:
        path: The file.
        backend: ``'auto'``, ``'decord'`` or ``'pyav'``.
        size: Short side in pixels, scaled while decoding; None keeps the size.
        num_threads: Decoding threads.

    Attributes:
        times: float64 (n,), presentation time of each frame in seconds, the first one at 0.
        num_frames: Number of frames n.
        duration: Seconds from the first frame to the end of the last one.
        fps: Mean frame rate.
        size: (width, height) of the frames returned.
        backend: The backend in use.

    Raises:
        MediaError: When no backend can open the file.
        ValueError: For an unknown backend.
    """

    def __init__(
        self, path: str, *, backend: str = 'auto', size: int | None = None, num_threads: int = 1
    ) -> None:
        if backend not in BACKENDS:
            raise ValueError(f'backend={backend!r}: choose one of {BACKENDS}')
        self.path, self._short_side, self._num_threads = str(path), size, num_threads
        self._may_fall_back = backend == 'auto'
        self.backend = backend
        if backend == 'auto':
            self.backend = 'decord' if _decord() is not None else 'pyav'
        self._open()

    def _open(self) -> None:
        if not os.path.exists(self.path):
            raise MediaError(self.path, 'the file does not exist')
        kind = _DecordBackend if self.backend == 'decord' else _PyAVBackend
        try:
            self._reader: _Backend = kind(self.path, self._short_side, self._num_threads)
        except _errors() as error:
            self._fall_back(error)
            return
        self.times = self._reader.times
        self.num_frames = len(self.times)
        self.duration = float(self.times[-1]) + self._reader.frame_duration
        self.fps = self.num_frames / self.duration
        self.size = self._reader.size

    def _fall_back(self, error: Exception) -> None:
        if self.backend == 'decord' and self._may_fall_back:
            self.backend = 'pyav'
            self._open()
            return
        if isinstance(error, MediaError):
            raise error
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else repr(error)
        raise MediaError(self.path, f'cannot be read as video ({reason})') from error

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """Frames by index, in any order, repeated ones too.

        Args:
            indices: Each from 0 to ``num_frames - 1``.

        Returns:
            uint8 (n, H, W, 3), RGB.

        Raises:
            IndexError: For an index out of range.
            MediaError: When a frame cannot be decoded.
        """
        wanted = [int(index) for index in indices]
        if wanted and not 0 <= min(wanted) <= max(wanted) < self.num_frames:
            raise IndexError(f'{self.path}: frames {min(wanted)} to {max(wanted)} of {self.num_frames}')
        try:
            return self._reader.read(wanted)
        except _errors() as error:
            self._fall_back(error)
            return self.read(wanted)

    def close(self) -> None:
        """Release the file."""
        self._reader.close()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
