"""Names of files from names of videos, and of sentiments."""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath

#: polarity -> what annotators read
SENTIMENTS = {-1: 'negative', 0: 'neutral', 1: 'positive'}
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_RESERVED = re.compile(r'(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)  # by Windows
_MAX_BYTES = 180  # of the 255 that file systems take; the rest is for suffixes


def safe_stem(video: str) -> str:
    """The name of a video without folder and suffix, as every file system takes it.

    Signs that some system forbids become ``_``, and so does a dot or a dash in front; a very long
    name is cut.

    Args:
        video: Name or path, from whatever system; ``'video'`` stands for an empty one.
    """
    name = PureWindowsPath(PurePosixPath(video).name).name
    stem = _FORBIDDEN.sub('_', PurePosixPath(name).stem if name.strip('.') else '')
    stem = (
        stem.encode('utf-8', 'ignore')[:_MAX_BYTES].decode('utf-8', 'ignore').strip().rstrip('. ')
    )
    if not stem:
        return 'video'
    if stem[0] in '.-':
        stem = f'_{stem[1:]}'
    return f'_{stem}' if _RESERVED.match(stem) else stem
