"""Cues of SubRip, WebVTT and ASS files.

``pysubs2``, which writes subtitles elsewhere in this project, does not read them here: damaged files take
it time quadratic in their size, one broken time loses the whole of an ASS file, and it does not see signs
and third digits of hours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from mart_mm.lexicon.subtitle_text import clean_text, is_drawing

_TIME = r'(-?)(?:(\d{1,9}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,9}))?'
_ONE_TIME = re.compile(_TIME)
_TIMING = re.compile(rf'\s*{_TIME}\s*-+>\s*{_TIME}(?!\d)')
_NUMBER = re.compile(r'\s*\d+\s*')
#: of an ASS line where its file does not say
_ASS_FIELDS = (
    'layer', 'start', 'end', 'style', 'name', 'marginl', 'marginr', 'marginv', 'effect', 'text',
)  # fmt: skip


class Cue(NamedTuple):
    """A subtitle as the file has it.

    Attributes:
        start: Milliseconds; may be negative.
        end: Milliseconds; may be before ``start``.
        text: Cleaned, empty where nothing is shown.
    """

    start: int
    end: int
    text: str


def subrip_cues(text: str) -> Iterator[Cue]:
    r"""Cues of a SubRip file.

    A cue lasts to the next line with times, so that blank lines within it lose nothing. A line with
    a digit before an arrow that is not two times ends a cue, and what follows it belongs to nobody.

    Args:
        text: With ``\n`` as line ends.
    """
    times, lines = None, []
    for line in text.split('\n'):
        match = _TIMING.match(line)
        if match is None and not _is_broken_timing(line):
            lines.append(line)
            continue
        if times:
            yield Cue(*times, clean_text('\n'.join(_without_number(lines, is_last=False))))
        times = match and (_milliseconds(*match.groups()[:5]), _milliseconds(*match.groups()[5:]))
        lines = []
    if times:
        yield Cue(*times, clean_text('\n'.join(_without_number(lines, is_last=True))))


def webvtt_cues(text: str) -> Iterator[Cue]:
    r"""Cues of a WebVTT file, without its notes, styles and regions; a blank line ends a cue.

    Args:
        text: With ``\n`` as line ends.
    """
    for block in re.split(r'\n\n+', text):
        if not re.match(r'\s*NOTE(\s|$)', block):
            yield from subrip_cues(block)


def ass_cues(text: str) -> Iterator[Cue]:
    r"""Cues of an ASS or SSA file, without comments and drawings; lines with broken times are left out.

    Args:
        text: With ``\n`` as line ends.
    """
    names = _ASS_FIELDS
    for line in map(str.strip, text.split('\n')):
        kind, _, rest = line.partition(':')
        if kind == 'Format':
            given = tuple(name.strip().lower() for name in rest.split(','))
            if given[-1] == 'text' and {'start', 'end'} < set(given):
                names = given
        elif kind == 'Dialogue':
            row = rest.strip().split(',', len(names) - 1)
            if len(row) < len(names):
                continue
            fields = dict(zip(names, row, strict=True))
            times = [_ONE_TIME.fullmatch(fields[name].strip()) for name in ('start', 'end')]
            if all(times) and not is_drawing(fields['text']):
                start, end = (_milliseconds(*match.groups()) for match in times)
                yield Cue(start, end, clean_text(fields['text']))


def _is_broken_timing(line: str) -> bool:
    head, arrow, _ = line.partition('-->')
    return bool(arrow) and any(map(str.isdigit, head))


def _milliseconds(
    sign: str, hours: str | None, minutes: str, seconds: str, part: str | None
) -> int:
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    value = 1000 * whole + int(((part or '') + '000')[:3])
    return -value if sign else value


def _without_number(lines: list[str], is_last: bool) -> list[str]:
    """Lines of a cue without the number of the next one, which stands before that one's times.

    In the last cue a number counts as one only behind a blank line, where the file was cut.
    """
    stop = len(lines)
    while stop and not lines[stop - 1].strip():
        stop -= 1
    if stop < 2 or not _NUMBER.fullmatch(lines[stop - 1]):
        return lines[:stop]
    return lines[:stop] if is_last and lines[stop - 2].strip() else lines[: stop - 1]
