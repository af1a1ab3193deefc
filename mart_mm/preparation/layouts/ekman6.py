"""Ekman6: lists with labels, 1,637 videos in six folders."""

from __future__ import annotations

from pathlib import Path

from mart_mm.datasets.ekman6 import Ekman6
from mart_mm.preparation.layouts.emotion_folders import plan_lists
from mart_mm.preparation.plan import Plan


def plan(source: Path, lists: Path | None) -> Plan:
    """See :func:`~mart_mm.preparation.layouts.emotion_folders.plan_lists`."""
    return plan_lists(
        source,
        lists,
        Ekman6,
        has_test_labels=True,
        is_unique_by_name=False,
        extras=('classInd.txt', 'ek6_01.json'),
    )
