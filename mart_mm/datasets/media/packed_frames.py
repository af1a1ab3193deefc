"""All frames of a video as small JPEGs in one file: the quickest to read at random."""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np

from mart_mm.datasets.media.backends import scaled_size
from mart_mm.errors import MediaError
from mart_mm.utils.atomic import replacing

_MAGIC = b'martfrm2'
#: number of frames, length of the JSON header, CRC-32 of it and of the times and offsets behind it
_HEAD = struct.Struct('<QII')
_REMEDY = 'run tools/data/pack_frames.py'


def packed_path(video: str | Path) -> Path:
    """Where the packed frames of a video lie: beside it."""
    return Path(f'{video}.frames')


def write_packed(
    video: str | Path,
    pictures: Iterable[bytes],
    times: np.ndarray,
    duration: float,
    size: tuple[int, int],
    short_side: int,
    quality: int,
) -> None:
    """Write the packed frames of a video, whole or not at all.

    Args:
        video: The video.
        pictures: JPEGs, one of each frame; each is written before the next is asked for.
        times: (n,), seconds of each frame.
        duration: Seconds.
        size: (width, height) of the pictures.
        short_side: That was asked for; the pictures of a smaller video are smaller.
        quality: Of the JPEGs.

    Raises:
        OSError: When the disk is full.
        ValueError: When there are more or less pictures than times.
    """
    source = os.stat(video)
    header = dict(
        duration=duration,
        size=size,
        short_side=short_side,
        quality=quality,
        source_bytes=source.st_size,
        source_changed=source.st_mtime_ns,
    )
    content, count = json.dumps(header).encode(), len(times)
    seconds = np.asarray(times, np.float64).tobytes()
    room = len(_MAGIC) + _HEAD.size + len(content) + len(seconds) + 8 * (count + 1)
    lengths = [0]
    with replacing(packed_path(video)) as temporary, open(temporary, 'wb') as file:
        file.seek(room)
        for picture in pictures:
            file.write(picture)
            lengths.append(len(picture))
        if len(lengths) != count + 1:
            raise ValueError(f'{video}: {len(lengths) - 1} pictures for {count} times')
        tables = content + seconds + np.cumsum(lengths, dtype=np.int64).tobytes()
        file.seek(0)
        file.write(_MAGIC + _HEAD.pack(count, len(content), zlib.crc32(tables)) + tables)


def _decode(jpeg: np.ndarray) -> np.ndarray | None:
    """BGR picture; None where it is damaged."""
    if not len(jpeg):
        return None
    try:
        return cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    except cv2.error:  # a size that is refused, or no memory for it
        return None


class PackedFramesReader:
    """Reads packed frames as VideoReader reads the video itself.

    Numbers and times of the frames are those of the video; the pictures differ from it by the loss of
    JPEG.

    Args:
        video: The video; its frames lie beside it.
        size: Short side in pixels; None keeps that of the packed frames.

    Attributes:
        times: float64 (n,), seconds of each frame, the first one at 0.
        numbers: int64 (n,), 1 to n.
        num_frames: Number of frames n.
        duration: Seconds from the first frame to the end of the last one.
        fps: Mean frame rate.
        size: (width, height) of the frames returned.
        short_side: For which they were packed.
        quality: Of the JPEGs.
        source_changed: Time of change of the video when it was packed, in nanoseconds.

    Raises:
        MediaError: When there are none, of another file, smaller than wanted, or damaged.
    """

    def __init__(self, video: str | Path, size: int | None = None) -> None:
        self.path = str(packed_path(video))
        try:
            self._file = open(self.path, 'rb')
        except OSError as error:
            raise MediaError(
                self.path, f'cannot be opened ({error.strerror}): {_REMEDY}'
            ) from error
        try:
            self._read_header(str(video), size)
        except BaseException:
            self.close()
            raise

    def _read_header(self, video: str, size: int | None) -> None:
        header, self.times, offsets = self._read_tables()
        if not os.path.isfile(video) or os.path.getsize(video) != header['source_bytes']:
            raise MediaError(self.path, f'was packed from another {video}: {_REMEDY}')
        self.short_side, self.quality = header['short_side'], header['quality']
        self.source_changed = header['source_changed']
        if size is not None and size > self.short_side:
            raise MediaError(
                self.path,
                f'was packed with a short side of {self.short_side}, {size} is wanted: {_REMEDY} '
                f'--short-side {size}',
            )
        count = self.num_frames = len(self.times)
        self._offsets = (offsets + self._file.tell()).tolist()
        if os.fstat(self._file.fileno()).st_size != self._offsets[-1]:
            raise MediaError(self.path, f'is cut: {_REMEDY}')
        self.numbers = np.arange(1, count + 1)
        self.duration, self.fps = header['duration'], count / header['duration']
        self._stored = tuple(header['size'])
        self.size = scaled_size(*self._stored, size)

    def _read_tables(self) -> tuple[dict, np.ndarray, np.ndarray]:
        """Header, times and offsets of the pictures, after a check that they are as written."""
        head = self._file.read(len(_MAGIC) + _HEAD.size)
        if not head.startswith(_MAGIC):
            raise MediaError(self.path, f'is no file of packed frames of this version: {_REMEDY}')
        damage = MediaError(self.path, f'is damaged: {_REMEDY}')
        if len(head) < len(_MAGIC) + _HEAD.size:
            raise damage
        count, length, checksum = _HEAD.unpack(head[len(_MAGIC) :])
        end = length + 8 * (2 * count + 1)
        if len(head) + end > os.fstat(self._file.fileno()).st_size:
            raise damage
        tables = self._file.read(end)
        if zlib.crc32(tables) != checksum or not count:
            raise damage
        times = np.frombuffer(tables, np.float64, count, length)
        offsets = np.frombuffer(tables, np.int64, count + 1, length + 8 * count)
        return json.loads(tables[:length]), times, offsets

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """Frames by index, in any order, repeated ones too.

        Args:
            indices: Each from 0 to ``num_frames - 1``.

        Returns:
            uint8 (n, H, W, 3), RGB.

        Raises:
            IndexError: For an index out of range.
            MediaError: When a picture is broken.
        """
        width, height = self.size
        wanted, order = np.unique(np.asarray(indices, np.int64), return_inverse=True)
        if len(wanted) and not 0 <= wanted[0] <= wanted[-1] < self.num_frames:
            raise IndexError(f'{self.path}: frames {wanted[[0, -1]]} of {self.num_frames}')
        frames = np.empty((len(wanted), height, width, 3), np.uint8)
        for _, run in groupby(enumerate(wanted.tolist()), lambda pair: pair[1] - pair[0]):
            self._read_run(list(run), frames)
        return frames if np.array_equal(order, np.arange(len(wanted))) else frames[order]

    def _read_run(self, run: list[tuple[int, int]], frames: np.ndarray) -> None:
        """Frames (row, index) that follow each other, by one access to the file."""
        first, last = run[0][1], run[-1][1]
        begin = self._offsets[first]
        self._file.seek(begin)
        content = np.frombuffer(self._file.read(self._offsets[last + 1] - begin), np.uint8)
        for row, index in run:
            start, stop = (self._offsets[place] - begin for place in (index, index + 1))
            part = content[start:stop]
            picture = _decode(part)
            if picture is None or picture.shape[1::-1] != self._stored:
                raise MediaError(self.path, f'frame {index} is damaged: {_REMEDY}')
            if self.size != self._stored:
                picture = cv2.resize(picture, self.size, interpolation=cv2.INTER_AREA)
            cv2.cvtColor(picture, cv2.COLOR_BGR2RGB, dst=frames[row])

    def close(self) -> None:
        """Release the file."""
        self._file.close()

    def __enter__(self) -> PackedFramesReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
