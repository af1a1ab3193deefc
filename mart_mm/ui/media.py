"""Which files are taken as videos."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from mart_mm.datasets.media import streams
from mart_mm.errors import MediaError
from mart_mm.ui import probe
from mart_mm.ui.limits import Limits

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
_SECONDS = 30
_MAX_RATE = 120  # frames per second, over the longest video that is taken


def check_media(path: Path, name: str, limits: Limits) -> None:
    """Open a file as its readers will, in a process of its own.

    Args:
        path: The file.
        name: How it is called in errors.
        limits: Of what it may announce.

    Raises:
        MediaError: When it is no video, or larger or longer than the limits.
    """
    found = _probe(path, name)
    if 'error' in found:
        raise MediaError(
            name, f'is no video that can be opened ({found["error"]}): save it as .mp4 or .webm'
        )
    if found['size'] is None:
        raise MediaError(name, 'holds no pictures that can be decoded')
    width, height = found['size']
    if width * height > limits.max_pixels:
        raise MediaError(
            name,
            f'announces pictures of {width} x {height}, and {limits.max_pixels:,} pixels are taken: '
            'save it smaller',
        )
    hours = found['duration'] / 3600
    if hours > limits.max_hours:
        raise MediaError(
            name, f'announces {hours:,.0f} h, and {limits.max_hours} h are taken: cut it'
        )
    max_frames = limits.max_hours * 3600 * _MAX_RATE
    if found['num_frames'] > max_frames:
        raise MediaError(
            name, f'announces {found["num_frames"]:,} frames, and {max_frames:,} are taken: cut it'
        )


def _probe(path: Path, name: str) -> dict:
    command = [sys.executable, probe.__file__, str(path), streams.__file__, json.dumps(_OPTIONS)]
    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_SECONDS, check=True
        )
    except subprocess.TimeoutExpired as error:
        raise MediaError(
            name, f'is not open after {_SECONDS} s: save it as .mp4 or .webm'
        ) from error
    except subprocess.CalledProcessError as error:  # out of memory, or the decoder crashed
        raise MediaError(
            name, 'takes more memory to open than a video does: save it as .mp4 or .webm'
        ) from error
    return json.loads(done.stdout)
