"""What a subtitle shows: its text without markup. Each function takes time linear in the text."""

from __future__ import annotations

import html
import re

# signs that are not seen: controls (with which terminals are steered), soft hyphens, marks of width and
# of writing direction; lone halves of surrogate pairs, which no file can hold
_UNSEEN = re.compile(
    '[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064'
    '\u2066-\u2069\ufeff\ud800-\udfff]'
)
# elements, and WebVTT's times inside a line
_TAG = re.compile(r'</?[a-zA-Z][^>]*>|<(?:\d+:)?\d+:\d+\.\d+>')
_OVERRIDE = re.compile(r'\{[^}]*\}')
_DRAWING = re.compile(r'\\p[1-9]')
_NO_SIGN = re.compile('&#[0-9]{8,};?')  # the number of no sign, and too long for ``html``


def clean_text(text: str) -> str:
    """Text of one subtitle on one line: no tags, entities, override codes and unseen signs.

    Args:
        text: As SubRip, WebVTT or ASS write it.
    """
    plain = _without(_OVERRIDE, text, '}').replace(r'\h', ' ').replace(r'\n', '\n')
    plain = _without(_TAG, plain.replace(r'\N', '\n'), '>')
    return plain_text(html.unescape(_NO_SIGN.sub('\ufffd', plain)))


def plain_text(text: str) -> str:
    """A text without markup on one line, without unseen signs."""
    return ' '.join(_UNSEEN.sub('', text).split())


def is_drawing(text: str) -> bool:
    """Whether the text of an ASS line has shapes to draw instead of words."""
    return any(_DRAWING.search(found[0]) for found in _OVERRIDE.finditer(_closed(text, '}')))


def _without(markup: re.Pattern, text: str, closing: str) -> str:
    closed = _closed(text, closing)
    return markup.sub('', closed) + text[len(closed) :]


def _closed(text: str, closing: str) -> str:
    """As far as markup can close: behind it, each opening sign would be followed to the end in vain."""
    return text[: text.rfind(closing) + 1]
