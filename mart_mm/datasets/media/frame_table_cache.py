"""Frame tables kept in the cache, so that a file is gone through once."""

from __future__ import annotations

from contextlib import suppress

import av
import numpy as np

from mart_mm.datasets.cache import (
    BadEntryError,
    Entry,
    FileCache,
    cache_key,
    file_identity,
)
from mart_mm.datasets.media.frame_table import FrameTable, scan_frames
from mart_mm.utils.code_version import code_version

_SCALARS = ('duration', 'keys', 'size', 'rotation', 'has_open_gops')


def cached_frame_table(
    path: str,
    container: av.container.InputContainer,
    stream: av.VideoStream,
    cache: FileCache | None,
) -> FrameTable:
    """The table of :func:`.scan_frames`, from the cache where it is there.

    Args:
        path: Of the file.
        container: Just opened.
        stream: Of the container.
        cache: None goes through the file.

    Raises:
        MediaError: When the file is no readable video.
    """
    if cache is None:
        return scan_frames(path, container, stream)
    key = cache_key(
        'frame table',
        file=file_identity(path),
        stream=stream.index,
        code=code_version(scan_frames, cached_frame_table),
        libraries=[av.__version__, av.library_versions],
    )
    entry = cache.load(key)
    if entry is not None:
        with entry, suppress(BadEntryError):
            return _unpack(entry)
    table = scan_frames(path, container, stream)
    rows = np.stack([table.times, table.stamps or np.zeros_like(table.times)], 1)
    info = {name: getattr(table, name) for name in _SCALARS}
    cache.store(key, info | dict(has_stamps=bool(table.stamps)), rows)
    return table


def _unpack(entry: Entry) -> FrameTable:
    rows = entry.rows(0, entry.shape[0])
    # float64 holds stamps up to 2^53, which are days even in nanoseconds
    stamps = rows[:, 1].astype(np.int64).tolist() if entry.info['has_stamps'] else []
    values = {name: entry.info[name] for name in _SCALARS}
    return FrameTable(
        times=rows[:, 0].copy(),
        index_of={stamp: index for index, stamp in enumerate(stamps)},
        stamps=stamps,
        **values | dict(size=tuple(values['size'])),
    )
