"""VideoEmotion8: the test list has no labels, names are the titles of web videos."""

from __future__ import annotations

from pathlib import Path

from mart_mm.datasets.video_emotion8 import VideoEmotion8
from mart_mm.preparation.layouts.emotion_folders import plan_lists
from mart_mm.preparation.plan import Plan


def plan(source: Path, lists: Path | None) -> Plan:
    """See :func:`~mart_mm.preparation.layouts.emotion_folders.plan_lists`."""
    return plan_lists(
        source,
        lists,
        VideoEmotion8,
        has_test_labels=False,
        is_unique_by_name=True,
        extras=('classInd.txt', 've8_01.json'),
    )
