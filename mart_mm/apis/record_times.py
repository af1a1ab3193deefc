"""When a record's segments begin and end, without reading its frames."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from mart_mm.datasets.media.faults import media_faults, open_media
from mart_mm.datasets.media.streams import find_video_stream
from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.errors import MediaError


def segment_times(record: dict, num_segments: int) -> np.ndarray:
    """Segments of equal duration, as SampleSegments cuts them.

    The length is what the container states; where it states none, packets are read. Of pictures in
    a folder it is that of the record's sound.

    Args:
        record: Of a data set.
        num_segments: S.

    Returns:
        float64 (S, 2) in seconds.

    Raises:
        MediaError: When the length is not known, or the record starts behind it.
    """
    path = str(record.get('video_path') or '')
    if Path(path).is_dir():
        path = str(record.get('audio_path') or '')
    if not Path(path).is_file():
        raise MediaError(path, 'the file does not exist')
    seconds, fps = _stated_length(path)
    if 'start_frame' in record:
        start, end = record['start_frame'] / fps, record['stop_frame'] / fps
    else:
        start, end = record.get('start') or 0.0, record.get('end')
    if start >= seconds:
        raise MediaError(path, f'the record starts at {start:.2f} s of {seconds:.2f} s')
    edges = np.linspace(start, seconds if end is None else min(end, seconds), num_segments + 1)
    return np.stack([edges[:-1], edges[1:]], axis=1)


def _stated_length(path: str) -> tuple[float, float]:
    """Seconds and frames per second."""
    with media_faults(path, 'cannot be read as video'), open_media(path) as container:
        stream = find_video_stream(container)
        if stream is not None and stream.average_rate:
            rate = float(stream.average_rate)
            if stream.duration:
                return float(stream.duration * stream.time_base), rate
            if container.duration:
                return container.duration / av.time_base, rate
    with VideoReader(path, backend='pyav') as reader:
        return reader.duration, reader.fps
