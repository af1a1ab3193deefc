"""One way to open whatever frames come from."""

from __future__ import annotations

import os
from contextlib import suppress

import av

from mart_mm.datasets.cache import FileCache
from mart_mm.datasets.media.faults import media_faults, open_media
from mart_mm.datasets.media.frame_folder import FrameFolderReader
from mart_mm.datasets.media.packed_frames import PackedFramesReader
from mart_mm.datasets.media.streams import find_video_stream
from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.errors import MediaError


def open_video(
    path: str,
    backend: str = 'auto',
    size: int | None = None,
    fps: float = 30.0,
    cache: FileCache | None = None,
) -> VideoReader | FrameFolderReader | PackedFramesReader:
    """Open a video file, or a folder of its frames.

    Args:
        path: File or folder.
        backend: Of a file's reader; ``'packed'`` reads the frames that tools/data/pack_frames.py left
            beside it.
        size: Short side in pixels; None keeps the size.
        fps: Frames per second of a folder; a file knows its own times.
        cache: Where frame tables of files are kept, or None.

    Raises:
        MediaError: When it cannot be read.
        ValueError: For an unknown backend, and a size or rate out of range.
    """
    if os.path.isdir(path):
        return FrameFolderReader(path, size=size, fps=fps)
    if backend == 'packed':
        return PackedFramesReader(path, size=size)
    return VideoReader(path, backend=backend, size=size, cache=cache)


def frame_rate(path: str, video: str | None, fps: float | None) -> float:
    """Frames per second of a folder: those of the video that its frames come from.

    Args:
        path: The folder; of a file the rate does not matter.
        video: The video, where it is at hand.
        fps: Otherwise.

    Raises:
        MediaError: When the video is there and cannot be read.
    """
    if not video or not os.path.isdir(path):
        return fps or 30.0
    with media_faults(video, 'cannot be read as video'), open_media(video) as container:
        stream = find_video_stream(container)
        rate = stream and stream.average_rate
    return float(rate) if rate else fps or 30.0


def announced_seconds(path: str) -> float:
    """Duration in the header of a file; 0 where it has none, and where there is no media file."""
    if not os.path.isfile(path):
        return 0.0
    with suppress(MediaError), open_media(path) as container:  # who reads it will say so
        return (container.duration or 0) / av.time_base
    return 0.0
