"""From targets to a report."""

from __future__ import annotations

from collections.abc import Sequence

from tqdm import tqdm

from mart_mm.apis.scan.judge import FileReport, compare, judge
from mart_mm.apis.scan.probe import probe
from mart_mm.apis.scan.report import ScanReport
from mart_mm.apis.scan.targets import Target
from mart_mm.apis.scan.watched import run_watched


def scan(
    targets: Sequence[Target], *, jobs: int = 1, timeout: float = 120.0, min_seconds: float = 1.0
) -> ScanReport:
    """Open every file and decode it to its end.

    Files are decoded in processes: one that crashes or hangs its decoder is reported as broken. The
    calling script needs ``if __name__ == '__main__':``.

    Args:
        targets: From :func:`~mart_mm.apis.scan.targets.collect`.
        jobs: Processes.
        timeout: Seconds without progress after which a decoder is given up.
        min_seconds: Shorter files are too short.
    """
    reports: dict[int, FileReport] = {}
    place = {target.path: number for number, target in enumerate(targets)}
    outcomes = run_watched(probe, targets, jobs, timeout)
    for target, facts, failure in tqdm(outcomes, total=len(targets), unit='file', disable=None):
        reports[place[target.path]] = judge(target, facts, failure, min_seconds)
    ordered = [reports[number] for number in range(len(targets))]
    compare(ordered)
    return ScanReport(ordered)
