"""Bring a download of VideoEmotion8 into the tree that its data set class reads."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[3])
if _ROOT not in sys.path:  # run as a file, only this folder is on the path
    sys.path.insert(0, _ROOT)

from mart_mm.preparation.command import main  # noqa: E402

if __name__ == '__main__':
    sys.exit(main('video_emotion8', __doc__))
