"""What is written of a video: its report, and the picture of it."""

from __future__ import annotations

import os
from pathlib import Path

from mart_mm.apis.inference.outcome import Outcome
from mart_mm.exports import FORMATS
from mart_mm.visualization.report import draw_report
from mart_mm.visualization.style import save_figure


def write_outcome(
    outcome: Outcome, out_dir: str | os.PathLike, picture: bool = True, report: bool = True
) -> Path | None:
    """Write what is known of a video; nothing where it failed.

    Args:
        outcome: The video's.
        out_dir: Folder.
        picture: Whether its picture is written.
        report: Whether its report is written as JSON.

    Returns:
        Path of the picture, if any.

    Raises:
        OSError: When the folder cannot be written.
    """
    if outcome.report is None:
        return None
    if report:
        outcome.report.save(outcome.place(out_dir, FORMATS['json'].suffix))
    if not picture:
        return None
    return save_figure(draw_report(outcome.report), outcome.place(out_dir, '.emotion.png'))
