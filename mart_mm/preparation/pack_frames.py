"""Pack the frames of videos, for training on machines whose disks are faster than their CPUs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from mart_mm.datasets.base import VIDEO_SUFFIXES
from mart_mm.datasets.media.packed_frames import PackedFramesReader, write_packed
from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.errors import MediaError


@dataclass(frozen=True)
class Packing:
    """How frames are packed.

    Attributes:
        short_side: Pixels; a smaller video keeps its size.
        quality: Of the JPEGs, 1 to 100.
    """

    short_side: int
    quality: int = 92

    def __call__(self, video: Path) -> None:
        """Pack the frames of a video.

        Raises:
            MediaError: When it cannot be read.
        """
        with VideoReader(str(video)) as reader:
            smallest = min(reader.size)
        size = min(self.short_side, smallest)
        with VideoReader(str(video), size=size) as reader:
            write_packed(
                video,
                self._encode(reader),
                reader.times,
                reader.duration,
                reader.size,
                self.short_side,
                self.quality,
            )

    def _encode(self, reader: VideoReader) -> Iterator[bytes]:
        """JPEGs in the order of the frames."""
        options = [cv2.IMWRITE_JPEG_QUALITY, self.quality]
        early: dict[int, bytes] = {}  # decoded before the frame that is shown before
        next_index = 0
        for index, frame in reader.frames():
            picture = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
            early[index] = cv2.imencode('.jpg', picture, options)[1].tobytes()
            while next_index in early:
                yield early.pop(next_index)
                next_index += 1


def find_videos(paths: list[Path]) -> list[Path]:
    """Video files among these and below these folders, sorted.

    Raises:
        FileNotFoundError: For a path that does not exist.
    """
    found: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f'{path} does not exist')
        inside = [path] if path.is_file() else path.rglob('*')
        found |= {item for item in inside if item.suffix.lower() in VIDEO_SUFFIXES}
    return sorted(found)


def is_packed(video: Path, packing: Packing) -> bool:
    """Whether the frames of this very file, as it is now, are packed so already."""
    try:
        with PackedFramesReader(video) as reader:
            found = Packing(reader.short_side, reader.quality)
            return found == packing and reader.source_changed == os.stat(video).st_mtime_ns
    except MediaError:
        return False
