"""Bring clips and a table of pairs into the tree that the PERR data set class reads."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[3])
if _ROOT not in sys.path:  # run as a file, only this folder is on the path
    sys.path.insert(0, _ROOT)

from mart_mm.preparation.command import main  # noqa: E402


def split_options(parser: argparse.ArgumentParser) -> tuple[str, ...]:
    """Options for a table without splits."""
    parser.add_argument(
        '--test-share', type=float, default=0.2, help='of the clips of a table without splits'
    )
    parser.add_argument('--seed', type=int, default=0, help='of that split')
    return 'test_share', 'seed'


if __name__ == '__main__':
    sys.exit(main('perr', __doc__, own_options=split_options))
