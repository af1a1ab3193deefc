"""Reports of before, reports with masks, and files that are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mart_mm.structures.emotion_report import EmotionReport, MaskReport, ReportError, SegmentReport

OLD = dict(
    format=1, video='a.mp4', duration=2.0, classes=['joy', 'fear'], polarity=[1, -1], emotion='joy',
    scores=[0.6, 0.4], sentiment=1, words=[], has_sound=True, transcript_source=None, warnings=[],
    model={},
    segments=[
        dict(
            start=0.0, end=2.0, distribution=[0.6, 0.4], emotion='joy', sentiment=1, degree=1.0, text='',
        )
    ],
)  # fmt: skip
MASKS = dict(visual=[['09', '45']], audio=None, with_words=[True])


def test_a_report_of_before_is_read_and_written_as_it_was() -> None:
    report = EmotionReport.from_dict(OLD)
    assert report.masks is None and isinstance(report.segments[0], SegmentReport)
    assert report.to_dict() == OLD


def test_masks_come_back(tmp_path: Path) -> None:
    report = EmotionReport.from_dict(OLD | dict(masks=MASKS))
    assert report.masks == MaskReport(**MASKS)
    path = report.save(tmp_path / 'a.json')
    assert json.loads(path.read_text()) == OLD | dict(masks=MASKS)
    assert EmotionReport.load(path) == report


@pytest.mark.parametrize('masks', [[1], dict(visual=None), MASKS | dict(rows=3)])
def test_masks_that_are_none(masks: object, tmp_path: Path) -> None:
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(OLD | dict(masks=masks)))
    with pytest.raises(ReportError, match=r'a.json: no emotion report .*mart-mm infer'):
        EmotionReport.load(path)
