"""The two decoders behind ``VideoReader``."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from itertools import groupby
from types import ModuleType

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from mart_mm.datasets.cache import FileCache
from mart_mm.datasets.media.faults import DECODER_LIMITS, FAULTS, open_media
from mart_mm.datasets.media.frame_table import FrameTable, format_family, stamp_of
from mart_mm.datasets.media.frame_table_cache import cached_frame_table
from mart_mm.datasets.media.streams import find_video_stream
from mart_mm.errors import MediaError

# decord retries at the end of a broken file this often; its default of 10,240 takes minutes
os.environ.setdefault('DECORD_EOF_RETRY_MAX', '256')

#: containers that keep each picture in a packet of its own, with its time
PACKET_FORMATS = ('mov', 'matroska')


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

    Each decoded frame is recognised by its time stamp. In h264 of mp4 and matroska, where a packet
    is a picture and says whether others are predicted from it, pictures that are neither wanted nor
    needed are not decoded, and nothing is decoded behind the last wanted one; the frames are the
    same, bit for bit. Where a seek turns out to miss (MPEG streams, FLV), all frames are decoded from
    the start instead.

    Args:
        path: The file.
        short_side: Pixels, or None.
        num_threads: Decoding threads.
        cache: Where frame tables are kept, or None.

    Raises:
        MediaError: When the file is no readable video.
    """

    def __init__(
        self, path: str, short_side: int | None, num_threads: int, cache: FileCache | None = None
    ) -> None:
        self.path, self.num_threads = path, num_threads
        self._open()
        try:
            self.table: FrameTable = cached_frame_table(path, self.container, self.stream, cache)
        except BaseException:
            self.container.close()
            raise
        self.format = format_family(self.container)
        self.num_streams = len(self.container.streams.video)
        self.size = scaled_size(*self.table.size, short_side)
        self.may_seek = bool(self.table.stamps)
        self.may_skip = self.stream.codec_context.name == 'h264' and self.format in PACKET_FORMATS
        self.reformatter = (
            VideoReformatter()
        )  # one for all frames: its set-up costs more than a frame

    def _open(self) -> None:
        self.container = open_media(self.path, 'cannot be read as video')
        stream = find_video_stream(self.container)
        if stream is None:
            self.container.close()
            raise MediaError(self.path, 'the file has no video stream')
        stream.codec_context.options = DECODER_LIMITS
        stream.thread_count = self.num_threads
        if self.num_threads != 1:
            stream.thread_type = 'AUTO'
        self.stream = stream

    def _packets_from(self, key: int) -> Iterator[av.Packet]:
        """Packets of the stream from a key frame on; none where the seek lands behind it.

        Where the first packet has no time stamp it is not known where it landed: none either.
        """
        stamp = self.table.stamps[key]
        self.container.seek(stamp, stream=self.stream, backward=True)
        is_first = True
        for packet in self.container.demux(self.stream):
            if is_first and packet.size:
                landed = stamp_of(packet)
                if landed is None or landed > stamp:
                    return
            is_first = False
            yield packet

    def _decode_skipping(self, key: int, wanted: set[int]) -> Iterator[av.VideoFrame]:
        """At least the frames of these time stamps, which lie between two key frames."""
        context, waiting, is_skipping = self.stream.codec_context, set(wanted), None
        for packet in self._packets_from(key):
            stamp = stamp_of(packet)
            if is_skipping != (stamp not in wanted):
                is_skipping = stamp not in wanted
                context.skip_frame = 'NONREF' if is_skipping else 'DEFAULT'
            yield from packet.decode()
            waiting.discard(stamp)
            if not waiting:
                yield from context.decode(None)  # what the decoder holds back to bring into order
                return

    def _decode_plainly(self, key: int) -> Iterator[av.VideoFrame]:
        for packet in self._packets_from(key):
            yield from packet.decode()

    def _collect(self, wanted: Sequence[int], place: Callable[[int, av.VideoFrame], None]) -> int:
        """Hand frames to ``place``, group of pictures by group; how many there were.

        A group of which a frame is missing is the last.
        """
        table, count = self.table, 0
        for key, members in groupby(wanted, lambda index: _key_before(table.keys, index)):
            waiting = {table.stamps[index]: index for index in members}
            decoding = (
                self._decode_skipping(key, set(waiting))
                if self.may_skip
                else self._decode_plainly(key)
            )
            with suppress(av.FFmpegError):
                for frame in decoding:
                    if frame.pts in waiting:
                        place(waiting.pop(frame.pts), frame)
                        count += 1
                        if not waiting:
                            break
            decoding.close()
            if waiting:
                break
        return count

    def _decode_from_start(self) -> Iterator[tuple[int, av.VideoFrame]]:
        """All frames that are shown, each with its index; the container is opened anew."""
        self.container.close()
        self._open()
        table, missing = self.table, set(range(len(self.table.times)))
        for number, frame in enumerate(self.container.decode(self.stream)):
            index = table.index_of.get(frame.pts) if table.stamps else number
            if index in missing:
                missing.remove(index)
                yield index, frame

    def _collect_from_start(
        self, wanted: Sequence[int], place: Callable[[int, av.VideoFrame], None]
    ) -> int:
        waiting, count = set(wanted), 0
        with suppress(av.FFmpegError):
            for index, frame in self._decode_from_start():
                if index in waiting:
                    waiting.remove(index)
                    place(index, frame)
                    count += 1
                    if not waiting:
                        break
        return count

    def _picture(self, frame: av.VideoFrame) -> np.ndarray:
        """uint8 (H, W, 3), RGB, scaled."""
        width, height = self.size
        picture = self.reformatter.reformat(frame, width, height, 'rgb24', threads=1).planes[0]
        lines = np.frombuffer(picture, np.uint8).reshape(height, picture.line_size)
        return lines[:, : 3 * width].reshape(height, width, 3)

    def frames(self) -> Iterator[tuple[int, np.ndarray]]:
        """All frames in one pass; see ``VideoReader.frames``."""
        count = 0
        with suppress(av.FFmpegError):
            for index, frame in self._decode_from_start():
                yield index, self._picture(frame)
                count += 1
        if count < len(self.table.times):
            raise MediaError(
                self.path, f'damaged: {count} of {len(self.table.times)} frames can be read'
            )

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """Decode; see ``VideoReader.read``."""
        wanted, order = np.unique(indices, return_inverse=True)
        wanted, (width, height) = wanted.tolist(), self.size
        frames = np.empty((len(wanted), height, width, 3), dtype=np.uint8)
        rows = {index: row for row, index in enumerate(wanted)}

        def place(index: int, frame: av.VideoFrame) -> None:
            frames[rows[index]] = self._picture(frame)

        count = self._collect(wanted, place) if self.may_seek else 0
        if count < len(wanted):
            self.may_seek = False
            count = self._collect_from_start(wanted, place)
        if count < len(wanted):
            raise MediaError(
                self.path,
                f'damaged: {count} of {len(wanted)} wanted frames can be read, '
                f'frame {wanted[count]} of {len(self.table.times)} cannot',
            )
        return frames if np.array_equal(order, np.arange(len(wanted))) else frames[order]

    def close(self) -> None:
        """Release the file."""
        self.container.close()


def _key_before(keys: list[int], index: int) -> int:
    return keys[bisect_right(keys, index) - 1]


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

    TAIL = 32  # frames; h264 and h265 hold back at most 16, and one per decoding thread

    def __init__(self, path: str, checked: PyAVBackend, num_threads: int) -> None:
        decord, table = import_decord(), checked.table
        if decord is None:
            raise ImportError("decord is not installed: use backend='auto' or 'pyav'")
        is_risky = checked.num_streams > 1 or table.rotation or table.has_open_gops
        if checked.format not in PACKET_FORMATS or is_risky:
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
        except (import_decord().DECORDError, *FAULTS) as error:
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
