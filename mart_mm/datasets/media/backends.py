"""The two decoders behind ``VideoReader``."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from types import ModuleType

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from mart_mm.datasets.media.frame_table import FrameTable, format_family, scan_frames
from mart_mm.datasets.media.streams import find_video_stream
from mart_mm.errors import MediaError

# decord retries at the end of a broken file this often; its default of 10,240 takes minutes
os.environ.setdefault('DECORD_EOF_RETRY_MAX', '256')


@cache
def import_decord() -> ModuleType | None:
    """Decord, or None where it is not installed."""
    try:
        import decord
    except (ImportError, OSError):  # no wheel for this platform, or its libraries do not load
        return None
    decord.logging.set_level(decord.logging.FATAL)
    return decord


def scaled_size(width: int, height: int, short_side: int | None) -> tuple[int, int]:
    """Width and height with the given short side, aspect kept, both even; None keeps the size."""
    if short_side is None:
        return width, height
    scale = short_side / min(width, height)
    return (max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2))


class VideoBackend(ABC):
    """Decodes frames by index."""

    @abstractmethod
    def read(self, indices: Sequence[int]) -> np.ndarray:
        """uint8 (n, H, W, 3), as stored: not turned upright."""

    @abstractmethod
    def close(self) -> None:
        """Release the file."""


class PyAVBackend(VideoBackend):
    """Seeks to the key frame before a wanted frame and decodes on from there.

    Each decoded frame is recognised by its time stamp. Where a seek turns out to miss (MPEG
    streams, FLV), frames are decoded from the start instead.

    Args:
        path: The file.
        short_side: Pixels, or None.
        num_threads: Decoding threads.

    Raises:
        MediaError: When the file is no readable video.
    """

    def __init__(self, path: str, short_side: int | None, num_threads: int) -> None:
        self.path, self.num_threads = path, num_threads
        self._open()
        try:
            self.table: FrameTable = scan_frames(path, self.container, self.stream)
        except BaseException:
            self.container.close()
            raise
        self.format = format_family(self.container)
        self.num_streams = len(self.container.streams.video)
        self.size = scaled_size(*self.table.size, short_side)
        self.may_seek = bool(self.table.stamps)
        self.reformatter = (
            VideoReformatter()
        )  # one for all frames: its set-up costs more than a frame

    def _open(self) -> None:
        self.container = av.open(self.path)
        stream = find_video_stream(self.container)
        if stream is None:
            self.container.close()
            raise MediaError(self.path, 'the file has no video stream')
        stream.thread_count = self.num_threads
        if self.num_threads != 1:
            stream.thread_type = 'AUTO'
        self.stream = stream

    def _decode_from(self, key: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """(index, frame) in order; ends early where the seek missed or the stream is damaged."""
        table = self.table
        if self.may_seek:
            self.container.seek(table.stamps[key], stream=self.stream, backward=True)
        else:
            self.container.close()
            self._open()
        is_first = self.may_seek
        try:
            for count, frame in enumerate(self.container.decode(self.stream)):
                index = table.index_of.get(frame.pts) if table.stamps else count
                if index is None:
                    continue
                if is_first and index > key:
                    return
                is_first = False
                yield index, frame
        except av.FFmpegError:
            return

    def _collect(self, wanted: Sequence[int]) -> dict[int, np.ndarray]:
        width, height = self.size
        found: dict[int, np.ndarray] = {}
        decoding: Iterator[tuple[int, av.VideoFrame]] | None = None
        position = -1
        for index in wanted:
            key = self.table.keys[bisect_right(self.table.keys, index) - 1] if self.may_seek else 0
            if decoding is None or key > position:
                decoding = self._decode_from(key)
            frame = None
            while position < index or frame is None:
                position, frame = next(decoding, (len(self.table.times), None))
                if frame is None or position >= index:
                    break
            if frame is None or position != index:
                break
            picture = self.reformatter.reformat(frame, width, height, 'rgb24', threads=1)
            found[index] = picture.to_ndarray()
        return found

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """Decode; see ``VideoReader.read``."""
        wanted = sorted(set(indices))
        found = self._collect(wanted)
        if len(found) < len(wanted) and self.may_seek:
            self.may_seek = False
            found = self._collect(wanted)
        if len(found) < len(wanted):
            raise MediaError(
                self.path,
                f'damaged: {len(found)} of {len(wanted)} wanted frames can be read, '
                f'frame {wanted[len(found)]} of {len(self.table.times)} cannot',
            )
        return np.stack([found[index] for index in indices])

    def close(self) -> None:
        """Release the file."""
        self.container.close()


class DecordBackend(VideoBackend):
    """Decord, only for files on which it returns the frames that are asked for.

    Outside of mp4 and matroska, and with open groups of pictures, its seeks return wrong frames
    without a word; it picks its own stream and turns rotated pictures. Near the end of any file it
    repeats a frame in place of the next while the decoder is being emptied: those go to PyAV.

    Args:
        path: The file.
        checked: The same file's table, size and format.
        num_threads: Decoding threads.

    Raises:
        MediaError: When decord cannot be relied on for this file.
    """

    FORMATS = ('mov', 'matroska')
    TAIL = 32  # frames; h264 and h265 hold back at most 16, and one per decoding thread

    def __init__(self, path: str, checked: PyAVBackend, num_threads: int) -> None:
        decord, table = import_decord(), checked.table
        if decord is None:
            raise ImportError("decord is not installed: use backend='auto' or 'pyav'")
        is_risky = checked.num_streams > 1 or table.rotation or table.has_open_gops
        if checked.format not in self.FORMATS or is_risky:
            raise MediaError(path, "decord is not exact on this kind of file: use backend='pyav'")
        width, height = checked.size
        self.path = path
        with self._own_errors():
            self.reader = decord.VideoReader(
                path, width=width, height=height, num_threads=num_threads
            )
        is_same = len(self.reader) == len(table.times)
        if is_same:
            stamps = self.reader.get_frame_timestamp(np.arange(len(self.reader)))[:, 0]
            tolerance = min(np.diff(table.times), default=1.0) / 2
            is_same = bool(np.abs(stamps - stamps[0] - table.times).max() < tolerance)
        self.checked, self.num_safe = checked, len(table.times) - self.TAIL - num_threads
        if not is_same:
            raise MediaError(path, "decord counts other frames than the file holds: use 'pyav'")

    @contextmanager
    def _own_errors(self) -> Iterator[None]:
        try:
            yield
        except (import_decord().DECORDError, RuntimeError) as error:
            lines = str(error).strip().splitlines() or [repr(error)]
            raise MediaError(self.path, f'decord cannot read it ({lines[-1]})') from error

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """Decode; see ``VideoReader.read``."""
        wanted, order = np.unique(indices, return_inverse=True)  # decord seeks for each step back
        is_safe = wanted < self.num_safe
        width, height = self.checked.size
        frames = np.empty((len(wanted), height, width, 3), dtype=np.uint8)
        if is_safe.any():
            with self._own_errors():
                frames[is_safe] = self.reader.get_batch(wanted[is_safe].tolist()).asnumpy()
        if not is_safe.all():
            frames[~is_safe] = self.checked.read(wanted[~is_safe].tolist())
        return frames[order]

    def close(self) -> None:
        """Release the file."""
        self.reader = None
