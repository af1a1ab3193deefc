"""Names of files that people give: shown, never used as a path."""

from __future__ import annotations

import unicodedata
from pathlib import PurePath

_MAX_CHARACTERS = 120


def display_name(given: str) -> str:
    """What is shown of a name that came from outside.

    Folders (of any system), control characters and marks of writing direction are left out, and a
    name that is too long loses its middle.

    Args:
        given: As sent.

    Returns:
        A name without separators, ``'video'`` where nothing is left.
    """
    last = given.replace('\\', '/').rpartition('/')[2]
    shown = ''.join(sign for sign in last if unicodedata.category(sign)[0] != 'C').strip(' .')
    if len(shown) > _MAX_CHARACTERS:
        shown = f'{shown[: _MAX_CHARACTERS - 20]}…{shown[-18:]}'
    return shown or 'video'


def download_name(video: str, model: str, suffix: str) -> str:
    """Name of a file that is saved: letters, digits, ``.``, ``-`` and ``_`` only.

    Args:
        video: Name of the video, as shown.
        model: Name of the model.
        suffix: With its dot.
    """
    stem = f'{PurePath(video).stem}-{model}'
    safe = ''.join(sign if sign.isalnum() or sign in '.-_' else '_' for sign in stem)
    return f'{safe.strip("._") or "video"}{suffix}'
