"""Frames of a video file by index, exact on constant and variable frame rate."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from mart_mm_runtime.errors import MediaError
from mart_mm_runtime.media.faults import (
    DECODER_LIMITS,
    check_room,
    media_faults,
    open_media,
)
from mart_mm_runtime.media.frame_table import FrameTable, scan_frames, stamp_of
from mart_mm_runtime.media.streams import find_video_stream


class VideoReader:
    """Reads frames by index and knows when each one is shown; rotation tags are applied.

    Args:
        path: The file.
        short_side: In pixels, scaled while decoding; None keeps the size.

    Attributes:
        times: float64 (n,), presentation time of each frame in seconds, the first one at 0.
        duration: Seconds from the first frame to the end of the last one.

    Raises:
        MediaError: When the file is no complete video.
    """

    def __init__(self, path: str, short_side: int | None = None) -> None:
        self.path = str(path)
        if not os.path.isfile(self.path):
            raise MediaError(self.path, 'the file does not exist')
        with media_faults(self.path, 'cannot be read as video'):
            self._open()
            with self.container:
                self._table: FrameTable = scan_frames(self.path, self.container, self.stream)
            self._open()
        self.times, self.duration = self._table.times, self._table.duration
        self._size = scaled_size(*self._table.size, short_side)
        self._reformatter = VideoReformatter()

    def _open(self) -> None:
        self.container = open_media(self.path, 'cannot be read as video')
        stream = find_video_stream(self.container)
        if stream is None:
            self.container.close()
            raise MediaError(self.path, 'the file has no video stream')
        stream.codec_context.options = DECODER_LIMITS
        self.stream = stream

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """Frames by index, in any order, repeated ones too.

        Args:
            indices: Each from 0 to ``len(times) - 1``.

        Returns:
            uint8 (n, H, W, 3), RGB.

        Raises:
            MediaError: When a frame cannot be decoded.
        """
        wanted, order = np.unique(indices, return_inverse=True)
        check_room(self.path, len(wanted), *self._size)
        with media_faults(self.path, 'frames cannot be decoded'):
            found = self._find_by_key(wanted.tolist()) if self._table.stamps else {}
            if len(found) < len(wanted):  # a seek missed: MPEG streams, FLV
                found = self._find_from_start(set(wanted.tolist()))
        if len(found) < len(wanted):
            raise MediaError(
                self.path,
                f'damaged: {len(found)} of {len(wanted)} wanted frames can be read',
            )
        frames = np.stack([found[index] for index in wanted.tolist()])[order]
        return np.rot90(frames, round(self._table.rotation / 90) % 4, axes=(1, 2))

    def _find_by_key(self, wanted: list[int]) -> dict[int, np.ndarray]:
        """Pictures by index, decoded from the key frame before each."""
        table, found = self._table, {}
        for key, members in groupby(wanted, lambda index: bisect_right(table.keys, index)):
            waiting = {table.stamps[index]: index for index in members}
            with suppress(av.FFmpegError):
                for frame in self._decode_from(table.stamps[table.keys[key - 1]]):
                    if frame.pts in waiting:
                        found[waiting.pop(frame.pts)] = self._picture(frame)
                        if not waiting:
                            break
        return found

    def _decode_from(self, stamp: int) -> Iterator[av.VideoFrame]:
        """Frames from a key frame on; none where the seek lands behind it, or nobody knows where."""
        self.container.seek(stamp, stream=self.stream, backward=True)
        is_first = True
        for packet in self.container.demux(self.stream):
            if is_first and packet.size:
                landed = stamp_of(packet)
                if landed is None or landed > stamp:
                    return
            is_first = False
            yield from packet.decode()

    def _find_from_start(self, waiting: set[int]) -> dict[int, np.ndarray]:
        """Pictures by index, all frames decoded; the container is opened anew."""
        self.container.close()
        self._open()
        table, found = self._table, {}
        with suppress(av.FFmpegError):
            for number, frame in enumerate(self.container.decode(self.stream)):
                index = table.index_of.get(frame.pts) if table.stamps else number
                if index in waiting:
                    waiting.remove(index)
                    found[index] = self._picture(frame)
                    if not waiting:
                        break
        return found

    def _picture(self, frame: av.VideoFrame) -> np.ndarray:
        """uint8 (H, W, 3), RGB, scaled."""
        return self._reformatter.reformat(frame, *self._size, 'rgb24', threads=1).to_ndarray()

    def close(self) -> None:
        """Release the file."""
        self.container.close()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def scaled_size(width: int, height: int, short_side: int | None) -> tuple[int, int]:
    """Width and height with the given short side, aspect kept, both even; None keeps the size."""
    if short_side is None:
        return width, height
    scale = short_side / min(width, height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
