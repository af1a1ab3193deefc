"""Pack the frames of videos, for training on machines whose disks are faster than their CPUs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from mart_mm.datasets.base import VIDEO_SUFFIXES
from mart_mm.datasets.media.packed_frames import PackedFramesReader, write_packed
from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.errors import MediaError

_AT_ONCE = 300  # frames in memory


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
            pictures = self._encode(reader)
            times, duration = reader.times, reader.duration
            write_packed(video, pictures, times, duration, reader.size, self.short_side)

    def _encode(self, reader: VideoReader) -> Iterator[bytes]:
        options = [cv2.IMWRITE_JPEG_QUALITY, self.quality]
        for start in range(0, reader.num_frames, _AT_ONCE):
            for frame in reader.read(range(start, min(start + _AT_ONCE, reader.num_frames))):
                picture = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
                yield cv2.imencode('.jpg', picture, options)[1].tobytes()


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


def is_packed(video: Path, short_side: int) -> bool:
    """Whether the frames of this very file are packed already, for this short side."""
    try:
        with PackedFramesReader(video) as reader:
            return reader.short_side == short_side
    except MediaError:
        return False
