"""Text is cut, wrapped and coloured so that it can be read."""

from __future__ import annotations

import pytest
from matplotlib.colors import to_rgb

from mart_mm.visualization.style import CLASS_COLOURS, LEVEL_COLOURS, ink
from mart_mm.visualization.text import clock, shorten, text_width, without_glyphs, wrap


@pytest.mark.parametrize(
    ('seconds', 'shown', 'with_fraction'),
    [
        (0, '0:00', '0:00.0'),
        (61.26, '1:01', '1:01.3'),
        (59.96, '0:59', '1:00.0'),
        (3600, '1:00:00', '1:00:00.0'),
        (7384.5, '2:03:04', '2:03:04.5'),
    ],
)
def test_clock(seconds: float, shown: str, with_fraction: str) -> None:
    assert clock(seconds) == shown
    assert clock(seconds, with_fraction=True) == with_fraction


@pytest.mark.parametrize('text', ['', 'a b c', 'wide ' * 30, 'W' * 80, 'ж' * 50 + ' ي' * 20])
def test_wrapped_and_shortened_text_fits_and_loses_nothing_else(text: str) -> None:
    lines = wrap(text, 1.0, 9)
    assert ''.join(lines).replace(' ', '') == text.replace(' ', '')
    assert all(text_width(line, 9) <= 1.0 for line in lines)
    short = shorten(text, 1.0, 9)
    assert text_width(short, 9) <= 1.0
    assert short == text or (short.endswith('…') and text.startswith(short[:-1]))


def test_ink_is_the_one_with_more_contrast() -> None:
    def luminance(colour: str) -> float:
        parts = []
        for value in to_rgb(colour):
            parts.append(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    for paper in (*CLASS_COLOURS, *LEVEL_COLOURS):
        contrasts = {}
        for name in ('black', 'white'):
            low, high = sorted((luminance(name), luminance(paper)))
            contrasts[name] = (high + 0.05) / (low + 0.05)
        assert ink(paper) == max(contrasts, key=contrasts.get)
        assert contrasts[ink(paper)] > 4.5  # what WCAG 2 asks of small text


def test_glyphs_that_no_font_has() -> None:
    assert without_glyphs(['glad', 'Grüße', 'радость', 'a b']) == []
    assert without_glyphs(['glad', '\U00013000x']) == ['\U00013000x']
