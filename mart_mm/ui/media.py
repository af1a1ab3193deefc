"""Which files are taken as videos."""

from __future__ import annotations

from pathlib import Path

import av

from mart_mm.datasets.media.faults import FAULTS, reason_of
from mart_mm.datasets.media.streams import find_video_stream
from mart_mm.errors import MediaError

#: type that a file is served with, by its suffix
MEDIA_TYPES = {
    '.mp4': 'video/mp4', '.m4v': 'video/mp4', '.mov': 'video/mp4',
    '.webm': 'video/webm', '.mkv': 'video/x-matroska', '.ogv': 'video/ogg',
    '.avi': 'video/x-msvideo', '.flv': 'video/x-flv', '.wmv': 'video/x-ms-wmv',
    '.mpg': 'video/mpeg', '.mpeg': 'video/mpeg', '.ts': 'video/mp2t',
}  # fmt: skip
# Containers by content. Playlists are not among them: a file could name others to be opened.
_OPTIONS = dict(
    format_whitelist='mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg',
    protocol_whitelist='file',
)


def check_media(path: Path, name: str) -> float:
    """Open a file as its readers will.

    Args:
        path: The file.
        name: How it is called in errors.

    Returns:
        Seconds that the file announces, 0 where it does not.

    Raises:
        MediaError: When it is no video.
    """
    try:
        with av.open(str(path), options=dict(_OPTIONS)) as container:
            if find_video_stream(container) is None:
                raise MediaError(name, 'holds no pictures that can be decoded')
            return (container.duration or 0) / av.time_base
    except MediaError:
        raise
    except FAULTS as error:
        reason = reason_of(error)
        raise MediaError(
            name, f'is no video that can be opened ({reason}): save it as .mp4 or .webm'
        ) from error
