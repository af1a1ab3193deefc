"""Data of the runs: planted affect is made anew for each seed, real data sets are where they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_MAKE = Path(__file__).resolve().parents[2] / 'data' / 'planted' / 'make.py'
_LOADERS = ('train', 'val', 'test')


def data_options(data: str, seed: int, work_dir: Path, jobs: int) -> tuple[str, ...]:
    """Overrides that point a config at its data; planted data are made where missing.

    Intervals over seeds then speak of other videos too, not only of other starts.

    Args:
        data: ``planted`` or the name of a real data set.
        seed: Of the run, and of the planted videos.
        work_dir: Where planted data are kept.
        jobs: Processes that make them.
    """
    if data != 'planted':
        return ()
    root = work_dir / 'data' / f'seed{seed}'
    command = [sys.executable, str(_MAKE), '--out', str(root), '--seed', str(seed)]
    subprocess.run([*command, '--jobs', str(jobs)], check=True, capture_output=True)
    return tuple(f'{name}_dataloader.dataset.data_root={root}' for name in _LOADERS)
