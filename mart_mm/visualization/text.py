"""Fonts for the scripts that words are in, and how wide a text is."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from functools import lru_cache

from matplotlib import font_manager
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

_POINTS = 72  # per inch
#: asked in this order for what the first one lacks, as far as they are installed
_FAMILIES = (
    'DejaVu Sans', 'Noto Sans', 'Noto Sans CJK SC', 'Noto Sans CJK JP', 'Noto Sans CJK KR',
    'Noto Sans SC', 'Noto Sans JP', 'Noto Sans KR', 'Source Han Sans SC', 'WenQuanYi Zen Hei',
    'PingFang SC', 'Hiragino Sans', 'Apple SD Gothic Neo', 'Microsoft YaHei', 'Yu Gothic',
    'Malgun Gothic', 'Noto Sans Devanagari', 'Noto Sans Bengali', 'Noto Sans Tamil',
    'Noto Sans Thai', 'Noto Sans Arabic', 'Noto Sans Hebrew', 'Nirmala UI', 'Leelawadee UI',
    'Arial Unicode MS',
)  # fmt: skip


@lru_cache(maxsize=1)
def font_families() -> list[str]:
    """Families that are installed, for text that mixes scripts."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in _FAMILIES if name in installed]


@lru_cache(maxsize=1)
def _characters() -> frozenset[int]:
    """Code points that some of the families can draw."""
    found: set[int] = set()
    for family in font_families():
        path = font_manager.findfont(FontProperties(family=[family]))
        found.update(font_manager.get_font(path).get_charmap())
    return frozenset(found)


def without_glyphs(texts: Iterable[str]) -> list[str]:
    """The texts of which some character can be drawn with no installed font."""
    known = _characters()
    return [text for text in texts if any(ord(c) not in known and not c.isspace() for c in text)]


@lru_cache(maxsize=65536)
def text_width(text: str, font: float, weight: str = 'normal') -> float:
    """Inches of one line of text.

    Args:
        text: Without line breaks.
        font: Points.
        weight: As in matplotlib.
    """
    properties = FontProperties(family=font_families(), size=font, weight=weight)
    return text_to_path.get_text_width_height_descent(text, properties, False)[0] / _POINTS


def shorten(text: str, width: float, font: float, weight: str = 'normal') -> str:
    """Cut a line to so many inches; an ellipsis stands for what is missing."""
    if text_width(text, font, weight) <= width:
        return text
    length = len(text)
    while length > 1 and text_width(text[:length].rstrip() + '…', font, weight) > width:
        length -= 1
    return text[:length].rstrip() + '…'


def wrap(text: str, width: float, font: float) -> list[str]:
    """Break a text into lines of at most so many inches, within a word only where it must."""
    # most letters are narrower than an n is wide
    characters = max(1, int(1.4 * width / text_width('n', font)))
    while characters > 1:
        lines = textwrap.wrap(text, characters) or ['']
        if all(text_width(line, font) <= width for line in lines):
            return lines
        characters -= 1
    return textwrap.wrap(text, 1) or ['']


def clock(seconds: float, *, with_fraction: bool = False) -> str:
    """Seconds as ``m:ss`` or ``h:mm:ss``; with a fraction as ``m:ss.s``."""
    tenths = round(10 * seconds) if with_fraction else 10 * int(seconds)
    whole = tenths // 10
    hours, minutes = whole // 3600, whole // 60
    shown = f'{hours}:{minutes % 60:02}' if hours else f'{minutes}'
    return f'{shown}:{whole % 60:02}' + (f'.{tenths % 10}' if with_fraction else '')
