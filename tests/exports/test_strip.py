from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from mart_mm.exports.strip import CURSOR, EmotionStrip, _clock, _fitted, _text_width, _tick_step
from mart_mm.visualization.style import CLASS_COLOURS


def cursor_at(strip: np.ndarray) -> float:
    """Middle column of the cursor's colour."""
    _, columns = np.nonzero((strip == CURSOR).all(-1))
    return columns.mean() + 0.5


@pytest.mark.parametrize('size', [(320, 240), (1920, 1080), (96, 64), (240, 426)])
def test_the_cursor_moves_with_time(kit: SimpleNamespace, size: tuple[int, int]) -> None:
    report = kit.report()
    strip = EmotionStrip(report, *size, duration=3.0)
    left, right = strip.plot
    assert 0 < left < right < size[0] and strip.height % 2 == 0
    for seconds in (0.0, 0.4, 1.5, 2.9, 3.0, 5.0):
        picture = strip.at(seconds)
        assert picture.shape == (strip.height, size[0], 3) and picture.dtype == np.uint8
        expected = left + min(1, seconds / 3) * (right - left)
        assert cursor_at(picture) == pytest.approx(expected, abs=1.01)
    colours = {tuple(round(255 * part) for part in to_rgb(colour)) for colour in CLASS_COLOURS}
    assert CURSOR not in colours


def test_the_curves_are_the_probabilities(kit: SimpleNamespace) -> None:
    """Away from the cursor, each class's colour lies where its probability is."""
    report = kit.report(winners=[1, 0, 2])
    strip = EmotionStrip(report, 960, 540, duration=3.0)
    picture = strip.at(0.0).astype(int)
    left, right = strip.plot
    top, bottom = strip._moving
    band = picture[top + 2]
    heights = {}
    for index, part in enumerate(report.segments):
        column = round(left + (index + 0.5) / 3 * (right - left))
        winner = report.classes.index(part.emotion)
        colour = np.array(to_rgb(CLASS_COLOURS[winner])) * 255
        assert np.abs(band[column] - colour).max() <= 2  # the band says who wins
        below = picture[top + strip._font // 2 + 1 : bottom, column]
        rows = np.nonzero(np.abs(below - colour).max(-1) < 40)[0]
        heights[max(part.distribution)] = rows.mean()
    # a share more is higher up, in proportion: 0.60, 0.65 and 0.70
    low, middle, high = (heights[share] for share in sorted(heights))
    assert high < middle < low
    assert low - middle == pytest.approx(middle - high, abs=1.5)
    axis = bottom - (top + strip._font // 2)
    assert low - high == pytest.approx(0.1 / 1.08 * axis, abs=1.5)


def test_the_first_line_follows_the_segment(kit: SimpleNamespace) -> None:
    report = kit.report(winners=[0, 1, 1])
    strip = EmotionStrip(report, 320, 240, duration=4.0)
    head = 2 * strip._font
    heads = {time: strip.at(time)[1:head].copy() for time in (0.0, 0.9, 1.0, 2.0, 3.5)}
    assert (heads[0.0] == heads[0.9]).all()
    assert (heads[0.9] != heads[1.0]).any()
    assert (heads[1.0] != heads[2.0]).any()  # the same emotion with another probability
    assert (heads[3.5] == 255).all()  # no segment
    for time, winner in ((0.0, 0), (1.0, 1)):
        colour = np.array(to_rgb(CLASS_COLOURS[winner])) * 255
        near = np.abs(heads[time].astype(int) - colour).max(-1) <= 2
        assert near.sum() >= 0.8 * strip._font**2


def test_long_names_and_many_classes_fit(kit: SimpleNamespace) -> None:
    names = [f'contemptuous disappointment {number}' for number in range(20)]
    strip = EmotionStrip(kit.report(classes=names), 320, 240, duration=3.0)
    for row in strip._legend_rows():
        _, name, left = row[-1]
        assert left + _text_width(name, strip._small) <= 320
    assert len([entry for row in strip._legend_rows() for entry in row]) == 20
    assert (strip.at(0)[:, -2:] == 255)[1:].all()  # nothing is cut at the edge
    assert _fitted('joy', 11, 100) == 'joy'
    short = _fitted('contemptuous disappointment', 11, 80)
    assert short.endswith('…') and _text_width(short, 11) <= 80


def test_ticks_are_whole_seconds_and_never_repeat() -> None:
    for duration in (0.3, 2.0, 9.9, 10.4, 13.0, 61.0, 600.0, 5400.0, 90000.0):
        for most in (2, 5, 14):
            step = _tick_step(duration, most)
            assert duration / step <= most or step == 0.1
            clock = _clock(duration)
            texts = [clock(step * index, 0) for index in range(int(duration / step) + 1)]
            assert len(set(texts)) == len(texts)
    assert _clock(100)(75, 0) == '1:15' and _clock(2)(0.5, 0) == '0.5 s'
