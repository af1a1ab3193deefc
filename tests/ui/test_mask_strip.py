"""The strip of masks in a browser, against the report's digits."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mart_mm.ui.app import create_app
from tests.ui.browser import analyse, axis, serving, time_of


def level_at(page: object, x: float, y: float) -> int:
    """The digit that is drawn at a place of the screen."""
    return page.evaluate(
        '([x, y]) => Number(document.elementFromPoint(x, y).dataset.level ?? 0)', [x, y]
    )


def test_masks_lie_at_their_time(
    ui: SimpleNamespace, planted_exports: list, open_page: object, video: Path
) -> None:
    report = ui.report(with_masks=True)
    analysers = dict(masked=ui.Analyser(report), plain=ui.Analyser(ui.report()))
    with serving(create_app(analysers)) as url:
        page = open_page(url)
        analyse(page, video, 'masked', 'plain')
        drawing = page.locator('.masks svg')
        assert drawing.count() == 1  # the other report has none
        assert 'in 3 of them with verified words' in drawing.get_attribute('aria-label')
        drawing.scroll_into_view_if_needed()
        now = axis(page)
        frames = [frame.bounding_box() for frame in page.locator('.masks .frame').all()]
        assert len(frames) == len(report.segments)
        for segment, rows, box in zip(report.segments, report.masks.visual, frames, strict=True):
            middle = now.x((segment.start + segment.end) / 2)
            assert box['x'] + box['width'] / 2 == pytest.approx(middle, abs=1.5)
            for r, row in enumerate(rows):
                for c, digit in enumerate(row):
                    x = box['x'] + box['width'] * (c + 0.5) / 4
                    assert level_at(page, x, box['y'] + box['height'] * (r + 0.5) / 3) == int(digit)
        kinds = [frame.get_attribute('class') for frame in page.locator('.masks .frame').all()]
        assert ['own' not in kind for kind in kinds] == report.masks.with_words  # others are dashed
        heard = page.locator('.masks .heard').first.bounding_box()
        for segment, bands in zip(report.segments, report.masks.audio, strict=True):
            for r, band in enumerate(bands or ['00000'] * 4):  # low ones below
                for c, digit in enumerate(band):
                    x = now.x(segment.start + (segment.end - segment.start) * (c + 0.5) / 5)
                    y = heard['y'] + heard['height'] * (3.5 - r) / 4
                    assert level_at(page, x, y) == int(digit)
        place = now.x(1.25) - drawing.bounding_box()['x']
        drawing.click(position=dict(x=place, y=20))
        assert time_of(page) == pytest.approx(1.25, abs=0.02)
        drawing.hover(position=dict(x=now.x(0.75) - drawing.bounding_box()['x'], y=20))
        told = page.locator('#tooltip').inner_text()
        assert '0:00.5 to 0:01.0' in told and 'No verified word' in told and 'Sound' not in told


def test_masks_of_an_hour_are_means(
    ui: SimpleNamespace, planted_exports: list, open_page: object, video: Path
) -> None:
    report = ui.report(duration=3600, num_segments=1200, num_words=10, with_masks=True)
    with serving(create_app(dict(long=ui.Analyser(report)))) as url:
        page = open_page(url)
        analyse(page, video)
        page.locator('.masks').scroll_into_view_if_needed()
        frames = page.locator('.masks .frame').all()
        boxes = [frame.bounding_box() for frame in frames]
        assert all(a['x'] + a['width'] < b['x'] for a, b in zip(boxes, boxes[1:], strict=False))
        covered = [
            range(int(frame.get_attribute('data-first')), int(frame.get_attribute('data-last')) + 1)
            for frame in frames
        ]
        assert [index for group in covered for index in group] == list(range(1200))
        for group, box in zip(covered[:3], boxes, strict=False):
            digits = [[list(map(int, row)) for row in report.masks.visual[i]] for i in group]
            for r, row in enumerate(np.mean(digits, 0)):
                for c, value in enumerate(row):
                    x = box['x'] + box['width'] * (c + 0.5) / 4
                    y = box['y'] + box['height'] * (r + 0.5) / 3
                    assert level_at(page, x, y) == pytest.approx(value, abs=0.5 + 1e-6)
        assert page.evaluate('document.querySelectorAll("*").length') < 1500
