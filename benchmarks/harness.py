"""Measuring side by side: candidates take turns, medians are quoted, each figure is a JSON line.

Used by the scripts of this folder, which are run as files (``python benchmarks/NAME.py``).
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # run as a file, only this folder is on the path
    sys.path.insert(0, str(ROOT))


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        name: What was measured, ``benchmark/case``.
        value: Median of the runs.
        unit: Of the value.
        peer: What it is compared with, if anything.
        ratio: Ours against the peer's in the sense in which above 1 is better for us.
        runs: All counted runs.
    """

    name: str
    value: float
    unit: str
    peer: str | None
    ratio: float | None
    runs: list[float]

    def line(self) -> str:
        """As JSON on one line."""
        return json.dumps(asdict(self))


def alternate(
    candidates: Mapping[str, Callable[[], object]], runs: int = 5, warmup: int = 1
) -> dict[str, list[float]]:
    """Wall seconds of each candidate, one run of each in turn.

    Args:
        candidates: Name to a call without arguments.
        runs: Counted runs of each, at least 5 where figures are to be quoted.
        warmup: Runs of each before, not counted.
    """
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(warmup + runs):
        for name, work in candidates.items():
            began = time.perf_counter()
            work()
            spent = time.perf_counter() - began
            if turn >= warmup:
                seconds[name].append(spent)
    return seconds


def matmul_rate(shapes: list[tuple[int, int, int]], runs: int = 5) -> tuple[float, list[float]]:
    """GFLOP/s of float32 matrix products of these shapes, (m, k, n) each, on torch's threads.

    Returns:
        Median over runs, and the runs; a run multiplies each shape once.
    """
    import torch

    pairs = [(torch.randn(m, k), torch.randn(k, n)) for m, k, n in shapes]
    gflop = sum(2 * m * k * n for m, k, n in shapes) / 1e9

    def work() -> None:
        for a, b in pairs:
            a @ b

    rates = [gflop / spent for spent in alternate({'matmul': work}, runs, 2)['matmul']]
    return statistics.median(rates), rates


def peak_memory(arguments: list[str]) -> float:
    """Largest resident memory in MiB of a Python process of its own, run to its end.

    Args:
        arguments: Behind ``python``.

    Raises:
        subprocess.CalledProcessError: When it fails.
    """
    code = (
        'import resource, subprocess, sys\n'
        'subprocess.run(sys.argv[1:], check=True, stdout=sys.stderr)\n'
        'print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)\n'
    )
    command = [sys.executable, '-c', code, sys.executable, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def machine() -> str:
    """What the figures were measured on, in words."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    return f'{platform.machine()}, {cores} cores, Python {platform.python_version()}'


def show(title: str, figures: list[Figure]) -> None:
    """Print a table for people and a JSON line per figure."""
    print(f'\n{title} ({machine()})')
    width = max(len(figure.name) for figure in figures)
    for figure in figures:
        against = ''
        if figure.ratio is not None:
            against = f'{figure.ratio:8.2f}x  {figure.peer}'
        print(f'{figure.name:{width}} {figure.value:12.4g} {figure.unit:12}{against}')
    for figure in figures:
        print(figure.line())
