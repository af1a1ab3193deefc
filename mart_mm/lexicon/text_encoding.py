"""The encoding of a text file that does not say it."""

from __future__ import annotations

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF32_LE, 'utf-32'), (codecs.BOM_UTF32_BE, 'utf-32'),
    (codecs.BOM_UTF8, 'utf-8-sig'),
    (codecs.BOM_UTF16_LE, 'utf-16'), (codecs.BOM_UTF16_BE, 'utf-16'),
)  # fmt: skip
_ASCII = re.compile('[\x00-\x7f]+')


def decode_text(content: bytes) -> str:
    """Text of a subtitle file.

    By its byte order mark; without one UTF-32 or UTF-16 if the bytes' zeros lie as theirs do (every
    subtitle file has digits and blanks), else UTF-8, else GB 18030 if nearly all it makes of the
    bytes is in GB 2312, else cp1252. Files in other encodings (Big5, Shift JIS, cp1251, ...) have to be
    converted: their letters come out as others.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content.decode(encoding, errors='replace')
    wide = _wide_encoding(content[:400])
    if wide:
        return content.decode(wide, errors='replace')
    try:
        return content.decode('utf-8')
    except UnicodeDecodeError:
        chinese = content.decode('gb18030', errors='replace')
        return chinese if _is_common_chinese(chinese) else content.decode('cp1252', 'replace')


def _wide_encoding(head: bytes) -> str | None:
    """UTF-32 or UTF-16 by the share of zeros at each place modulo 4, or None."""
    if len(head) < 8:
        return None
    zeros = [head[place::4].count(0) / len(head[place::4]) for place in range(4)]
    if min(zeros[2:]) > 0.9:
        return 'utf-32-le'
    if min(zeros[:2]) > 0.9:
        return 'utf-32-be'
    even, odd = (zeros[0] + zeros[2]) / 2, (zeros[1] + zeros[3]) / 2
    if max(even, odd) < 0.1:  # one long line of Chinese leaves this much of digits and blanks
        return None
    return 'utf-16-le' if odd > even else 'utf-16-be'


def _is_common_chinese(text: str) -> bool:
    """Whether nine of ten signs beyond ASCII are in GB 2312.

    Accented letters stand alone between plain ones. GB 18030 makes rare signs, or none, of such pairs.
    """
    signs = _ASCII.sub('', text)
    return len(signs.encode('gb2312', errors='ignore')) >= 2 * 0.9 * len(signs)
