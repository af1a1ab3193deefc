"""Subtitles: what is said when."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from mart_mm.lexicon.subtitle_cues import ass_cues, subrip_cues, webvtt_cues
from mart_mm.lexicon.text_encoding import decode_text

SUFFIXES = ('.srt', '.vtt', '.ass', '.ssa')
_READERS = {'.srt': subrip_cues, '.vtt': webvtt_cues, '.ass': ass_cues, '.ssa': ass_cues}


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
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise TranscriptError(path, f'a subtitle file ends in one of {SUFFIXES}')
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TranscriptError(path, f'cannot be opened ({error.strerror})') from error
    text = decode_text(content).replace('\r\n', '\n').replace('\r', '\n')
    if not text.strip():
        raise TranscriptError(path, 'the file is empty')
    lines = [
        TranscriptLine(max(0, cue.start) / 1000, cue.end / 1000, cue.text)
        for cue in read(text)
        if cue.text and cue.end > max(0, cue.start)
    ]
    if not lines:
        raise TranscriptError(path, 'no line with a time and a text')
    return sorted(lines)


def find_sidecars(stem: str | Path, suffixes: Sequence[str] = SUFFIXES) -> Iterator[Path]:
    """The existing files ``stem + suffix``; dots in the stem's name are kept.

    Args:
        stem: Path without suffix.
        suffixes: Tried in this order, each also in capitals.
    """
    for suffix in suffixes:
        for spelling in (suffix, suffix.upper()):
            path = Path(f'{stem}{spelling}')
            if os.path.isfile(path):  # False, not an error, for a name that is too long
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
