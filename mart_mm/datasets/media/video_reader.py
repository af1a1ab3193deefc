"""Frames of a video file by index, exact on constant and variable frame rate."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import numpy as np

from mart_mm.datasets.cache import FileCache
from mart_mm.datasets.media.backends import DecordBackend, PyAVBackend, VideoBackend
from mart_mm.datasets.media.faults import check_room, media_faults
from mart_mm.errors import MediaError

BACKENDS = ('auto', 'decord', 'pyav')


class VideoReader:
    """Reads frames by index and knows when each one is shown.

    Of several streams of pictures :func:`.find_video_stream` chooses. Times always come from the
    packets (PyAV). ``'auto'`` is PyAV, which is exact on all files and the faster one
    (``benchmarks/pipeline.py``); ``'decord'`` is for mp4 and matroska with one unrotated video stream
    and closed groups of pictures, and refuses others. Rotation tags are applied: pictures stand
    upright.

    Args:
        path: The file.
        backend: ``'auto'``, ``'decord'`` or ``'pyav'``.
        size: Short side in pixels, scaled while decoding; None keeps the size.
        num_threads: Decoding threads.
        cache: Where frame tables are kept, so that only the first visit goes through the whole
            file; None keeps none.

    Attributes:
        times: float64 (n,), presentation time of each frame in seconds, the first one at 0.
        numbers: int64 (n,), 1 to n; see FrameFolderReader, where numbers may be missing.
        num_frames: Number of frames n.
        duration: Seconds from the first frame to the end of the last one.
        fps: Mean frame rate.
        size: (width, height) of the frames returned.
        backend: The backend in use.

    Raises:
        MediaError: When the file is no complete video, or ``'decord'`` is not exact on it.
        ImportError: When ``'decord'`` is asked for and not installed.
        ValueError: For an unknown backend.
    """

    def __init__(
        self,
        path: str,
        backend: str = 'auto',
        size: int | None = None,
        num_threads: int = 1,
        cache: FileCache | None = None,
    ) -> None:
        if backend not in BACKENDS:
            raise ValueError(f'backend={backend!r}: choose one of {BACKENDS}')
        if size is not None and size < 2:
            raise ValueError(f'size={size}: the short side must be at least 2 pixels, or None')
        self.path = str(path)
        if not os.path.isfile(self.path):
            raise MediaError(self.path, 'the file does not exist')
        with media_faults(self.path, 'cannot be read as video'):
            self._pyav = PyAVBackend(self.path, size, num_threads, cache)
        table = self._pyav.table
        self.times, self.duration = table.times, table.duration
        self.num_frames = len(table.times)
        self.numbers = np.arange(1, self.num_frames + 1)
        self.fps = self.num_frames / self.duration
        self._turns = round(table.rotation / 90) % 4
        self.size = self._pyav.size[::-1] if self._turns % 2 else self._pyav.size
        self._decoder: VideoBackend = self._pyav
        self.backend = 'pyav'
        if backend == 'decord':
            self._use_decord(num_threads)

    def _use_decord(self, num_threads: int) -> None:
        try:
            self._decoder = DecordBackend(self.path, self._pyav, num_threads)
        except (MediaError, ImportError):
            self._pyav.close()
            raise
        self.backend = 'decord'

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """Frames by index, in any order, repeated ones too.

        Args:
            indices: Each from 0 to ``num_frames - 1``.

        Returns:
            uint8 (n, H, W, 3), RGB.

        Raises:
            IndexError: For an index out of range.
            MediaError: When a frame cannot be decoded; it says how many could. When all together take
                too much memory.
        """
        wanted = [int(index) for index in indices]
        if not wanted:
            return np.empty((0, *self.size[::-1], 3), dtype=np.uint8)
        if not 0 <= min(wanted) <= max(wanted) < self.num_frames:
            raise IndexError(
                f'{self.path}: frames {min(wanted)} to {max(wanted)} of {self.num_frames}'
            )
        check_room(self.path, len(set(wanted)), *self.size)
        with media_faults(self.path, 'frames cannot be decoded'):
            frames = self._decoder.read(wanted)
        return np.rot90(frames, self._turns, axes=(1, 2)) if self._turns else frames

    @property
    def may_seek(self) -> bool:
        """Whether frames are found by seeking; each ``read`` of others goes through the whole file."""
        return self._pyav.may_seek

    def frames(self) -> Iterator[tuple[int, np.ndarray]]:
        """All frames in one pass; nothing else may be read before it ends.

        Yields:
            Index and uint8 (H, W, 3), RGB, in the order of decoding, which is nearly always that of
            the indices.

        Raises:
            MediaError: When a frame cannot be decoded; it says how many could.
        """
        with media_faults(self.path, 'frames cannot be decoded'):
            for index, picture in self._pyav.frames():
                yield index, np.rot90(picture, self._turns)

    def close(self) -> None:
        """Release the file."""
        self._decoder.close()
        self._pyav.close()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
