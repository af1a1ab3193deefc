"""Publish weights: python tools/convert/publish_model.py CHECKPOINT [--out FILE]; as ``mart-mm publish``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[2])
if _ROOT not in sys.path:  # run as a file, only this folder is on the path
    sys.path.insert(0, _ROOT)

from mart_mm_cli.main import run_tool  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    return run_tool('publish', arguments)


if __name__ == '__main__':
    sys.exit(main())
