"""Subtitles: what is said when."""

from __future__ import annotations

import codecs
import html
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pysubs2

SUFFIXES = ('.srt', '.vtt', '.ass', '.ssa')
_BOMS = (
    (codecs.BOM_UTF32_LE, 'utf-32'), (codecs.BOM_UTF32_BE, 'utf-32'),
    (codecs.BOM_UTF8, 'utf-8-sig'),
    (codecs.BOM_UTF16_LE, 'utf-16'), (codecs.BOM_UTF16_BE, 'utf-16'),
)  # fmt: skip
# signs that are not seen: controls, marks of width and of writing direction
_UNSEEN = re.compile('[\x00-\x08\x0e-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]')
# elements, and WebVTT's times inside a line
_TAG = re.compile(r'</?[a-zA-Z][^>]*>|<(?:\d+:)?\d+:\d+\.\d+>')
_FORMATS = {'.srt': 'srt', '.vtt': 'vtt', '.ass': 'ass', '.ssa': 'ssa'}


class TimedWord(NamedTuple):
    """A word with a time, known or estimated.

    Attributes:
        text: As written.
        start: Seconds.
        end: Seconds.
        span: (start, end) in characters of the line's text.
    """

    text: str
    start: float
    end: float
    span: tuple[int, int]


class TranscriptLine(NamedTuple):
    """A subtitle.

    Attributes:
        start: Seconds.
        end: Seconds, later than ``start``.
        text: Without tags, on one line.
        words: The words with their times, where the source knows them (speech recognition does);
            empty otherwise. ``word_times`` gives both cases.
    """

    start: float
    end: float
    text: str
    words: tuple[TimedWord, ...] = ()


class TranscriptError(ValueError):
    """A subtitle file holds no subtitle that can be read.

    Args:
        path: The file.
        reason: What is wrong with it, in words.
    """

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f'{path}: {reason}')
        self.path, self.reason = str(path), reason

    def __reduce__(self) -> tuple:
        return type(self), (self.path, self.reason)


def decode_text(content: bytes) -> str:
    """Text of a subtitle file.

    By its byte order mark; without one UTF-32 or UTF-16 if the bytes' zeros lie as theirs do (every
    subtitle file has digits and blanks), else UTF-8, else cp1252.
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
        return content.decode('cp1252', errors='replace')


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
    if max(even, odd) < 0.25:
        return None
    return 'utf-16-le' if odd > even else 'utf-16-be'


def read_transcript(path: str | Path) -> list[TranscriptLine]:
    """Read an .srt, .vtt, .ass or .ssa file.

    Lines come in the order of their start; negative starts are cut to 0; comments, drawings, lines
    that do not end after they start and lines without text are left out.

    Args:
        path: The file.

    Raises:
        TranscriptError: When the file is empty or no line of it can be read.
    """
    path = Path(path)
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise TranscriptError(path, f'a subtitle file ends in one of {SUFFIXES}')
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TranscriptError(path, f'cannot be opened ({error.strerror})') from error
    text = decode_text(content).replace('\r\n', '\n').replace('\r', '\n')
    if not text.strip():
        raise TranscriptError(path, 'the file is empty')
    if kind == 'vtt':
        text = _only_cues(text)
    try:
        with warnings.catch_warnings():  # what is wrong in a line's style does not matter here
            warnings.simplefilter('ignore')
            events = pysubs2.SSAFile.from_string(text, format_=kind)
    except (pysubs2.Pysubs2Error, ValueError, LookupError, OverflowError) as error:
        raise TranscriptError(path, f'not readable as {kind} ({error})') from error
    lines = []
    for event in events:
        if event.is_comment or event.is_drawing or event.end <= max(0, event.start):
            continue
        text = clean_text(event.text)
        if text:
            lines.append(TranscriptLine(max(0, event.start) / 1000, event.end / 1000, text))
    if not lines:
        raise TranscriptError(path, 'no line with a time and a text')
    return sorted(lines)


def clean_text(text: str) -> str:
    """Text of one subtitle on one line: no tags, entities, override codes and unseen signs.

    Args:
        text: As SubRip, WebVTT or ASS write it.
    """
    plain = html.unescape(_TAG.sub('', pysubs2.SSAEvent(text=text).plaintext))
    return ' '.join(_UNSEEN.sub('', plain).split())


def _only_cues(text: str) -> str:
    """WebVTT without its notes, styles and cue names, which pysubs2 adds to the line before."""
    blocks = ['WEBVTT']
    for block in re.split(r'\n\n+', text):
        head, arrow, body = block.partition('-->')
        if arrow and not re.match(r'NOTE\s', block):
            blocks.append(head.rpartition('\n')[2] + arrow + body)
    return '\n\n'.join(blocks) + '\n'


def find_sidecars(stem: str | Path, suffixes: Sequence[str] = SUFFIXES) -> Iterator[Path]:
    """The existing files ``stem + suffix``; dots in the stem's name are kept.

    Args:
        stem: Path without suffix.
        suffixes: Tried in this order, each also in capitals.
    """
    for suffix in suffixes:
        for spelling in (suffix, suffix.upper()):
            path = Path(f'{stem}{spelling}')
            if path.is_file():
                yield path
                break


def find_sidecar(stem: str | Path, suffixes: Sequence[str] = SUFFIXES) -> Path | None:
    """The first of ``find_sidecars``, or None."""
    return next(find_sidecars(stem, suffixes), None)


def word_times(line: TranscriptLine) -> list[TimedWord]:
    """Words of a line: with their own times where known, else spread evenly over its characters."""
    if line.words:
        return list(line.words)
    per_character = (line.end - line.start) / max(1, len(line.text))
    return [
        TimedWord(
            match.group(),
            line.start + match.start() * per_character,
            line.start + match.end() * per_character,
            match.span(),
        )
        for match in re.finditer(r'\S+', line.text)
    ]
