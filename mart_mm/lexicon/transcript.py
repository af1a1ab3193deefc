"""Subtitles: what is said when."""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pysubs2

SUFFIXES = ('.srt', '.vtt', '.ass', '.ssa')
_BOMS = (
    (codecs.BOM_UTF32_LE, 'utf-32'), (codecs.BOM_UTF32_BE, 'utf-32'),
    (codecs.BOM_UTF8, 'utf-8-sig'),
    (codecs.BOM_UTF16_LE, 'utf-16'), (codecs.BOM_UTF16_BE, 'utf-16'),
)  # fmt: skip
_CONTROL = re.compile(r'[\x00-\x08\x0b-\x1f\x7f]')
_FORMATS = {'.srt': 'srt', '.vtt': 'vtt', '.ass': 'ass', '.ssa': 'ass'}


class TranscriptLine(NamedTuple):
    """A subtitle.

    Attributes:
        start: Seconds.
        end: Seconds, later than ``start``.
        text: Without tags, on one line.
    """

    start: float
    end: float
    text: str


class TimedWord(NamedTuple):
    """A word with an estimated time.

    Attributes:
        text: As written.
        start: Seconds.
        end: Seconds.
    """

    text: str
    start: float
    end: float


class TranscriptError(ValueError):
    """A subtitle file holds no subtitle that can be read."""


def decode_text(content: bytes) -> str:
    """Text of a subtitle file: by its byte order mark, else UTF-8, UTF-16 without mark, cp1252."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content.decode(encoding, errors='replace')
    try:
        return content.decode('utf-8')
    except UnicodeDecodeError:
        pass
    zeros = content[:200].count(0)
    if zeros > len(content[:200]) // 4:
        encoding = 'utf-16-le' if content[1:200:2].count(0) > zeros // 2 else 'utf-16-be'
        return content.decode(encoding, errors='replace')
    return content.decode('cp1252', errors='replace')


def read_transcript(path: str | Path) -> list[TranscriptLine]:
    """Read an .srt, .vtt, .ass or .ssa file.

    Lines come in the order of their start; negative starts are cut to 0, lines that end before they
    start and lines without text are left out.

    Args:
        path: The file.

    Raises:
        TranscriptError: When the file is empty or no line of it can be read.
    """
    path = Path(path)
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise TranscriptError(f'{path}: a subtitle file ends in one of {SUFFIXES}')
    text = decode_text(path.read_bytes()).replace('\r\n', '\n').replace('\r', '\n')
    if not text.strip():
        raise TranscriptError(f'{path}: the file is empty')
    try:
        events = pysubs2.SSAFile.from_string(text, format_=kind)
    except (pysubs2.Pysubs2Error, ValueError, KeyError, IndexError, OverflowError) as error:
        raise TranscriptError(f'{path}: not readable as {kind} ({error})') from error
    lines = []
    for event in events:
        if event.is_comment or event.end <= event.start:
            continue
        plain = html.unescape(re.sub(r'</?[a-zA-Z][^>]*>', '', event.plaintext))
        words = _CONTROL.sub('', plain.replace('\xa0', ' ')).split()
        if words and event.end > 0:
            lines.append(TranscriptLine(max(0, event.start) / 1000, event.end / 1000, ' '.join(words)))
    if not lines:
        raise TranscriptError(f'{path}: no line with a time and a text')
    return sorted(lines)


def find_sidecar(stem: str | Path, suffixes: Sequence[str] = SUFFIXES) -> Path | None:
    """The first existing file ``stem + suffix``; dots in the stem's name are kept."""
    for suffix in suffixes:
        path = Path(f'{stem}{suffix}')
        if path.is_file():
            return path
    return None


def word_times(line: TranscriptLine) -> list[TimedWord]:
    """Words of a line, their times spread evenly over its characters."""
    per_character = (line.end - line.start) / len(line.text)
    return [
        TimedWord(
            match.group(),
            line.start + match.start() * per_character,
            line.start + match.end() * per_character,
        )
        for match in re.finditer(r'\S+', line.text)
    ]
