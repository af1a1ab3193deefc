from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'benchmarks'))

from growth import Growth, exponent  # noqa: E402
from run_all import measurements  # noqa: E402
from texts import cut, draw_text  # noqa: E402

SIZES = [4.0, 8.0, 16.0, 48.0]


@settings(deadline=None)
@given(power=st.floats(0.1, 3), scale=st.floats(1e-3, 1e3))
def test_exponent_of_a_power_law(power: float, scale: float) -> None:
    costs = [scale * size**power for size in SIZES]
    assert exponent(SIZES, costs) == pytest.approx(power)


def test_exponent_is_that_of_least_squares() -> None:
    costs = [3.0, 7.0, 11.0, 50.0]
    expected = np.polyfit(np.log(SIZES), np.log(costs), 1)[0]
    assert exponent(SIZES, costs) == pytest.approx(expected)


@pytest.mark.parametrize(('expected', 'is_too_high'), [(1.0, True), (1.17, True), (1.19, False)])
def test_more_than_ten_per_cent_above_is_flagged(expected: float, is_too_high: bool) -> None:
    seconds = [[1e9, size**1.3, 0.0] for size in SIZES]  # the median grows so
    growth = Growth('a in b', SIZES, seconds, expected)
    assert growth.exponent == pytest.approx(1.3)
    assert growth.is_too_high == is_too_high


def test_text_has_its_length_and_concepts() -> None:
    text = draw_text(['big smile', 'cry'], ['the', 'of'], 1000)
    words = text.split()
    assert 1000 <= len(words) < 1005
    assert sum(word in ('the', 'of') for word in words) == pytest.approx(2 / 3.5 * 1000, rel=0.1)
    assert ' '.join(cut(text, 200)) == text
    assert [len(part.split()) for part in cut(text, 200)][:5] == [200] * 5


def test_which_scripts_measure() -> None:
    assert {'growth', 'lexicon'} <= set(measurements())
    assert not {'run_all', 'harness', 'texts', 'synthetic', 'cost_table'} & set(measurements())
