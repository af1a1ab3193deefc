"""Segments and words as CSV, for spreadsheets and statistics."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from mart_mm.structures.emotion_report import LEVELS, EmotionReport
from mart_mm.utils.atomic import replacing

#: what makes a spreadsheet take a cell for a formula, also in the wide forms of East Asian scripts
_FORMULA = '=+-@\uff1d\uff0b\uff0d\uff20'


def write_tables(
    report: EmotionReport, path: str | Path, media_path: str | Path | None = None
) -> list[Path]:
    r"""Write a table of segments, and one of words as ``.words.csv`` beside it.

    RFC 4180 in UTF-8 with a byte order mark, by which spreadsheets know it (read it as
    ``utf-8-sig``). Texts are quoted, numbers are not. Seconds are rounded to 3 digits,
    probabilities, degrees and affects to 6.

    Texts come from transcripts, lexicons and models, and a spreadsheet would execute those that
    look like a formula. A text that begins with ``= + - @`` (also after blanks), a tab, a line
    break or an apostrophe gets an apostrophe in front, so that removing one apostrophe gives back
    every text; see :func:`safe_cell`.

    Segments have the columns ``start``, ``end``, the probability of each class under its name,
    ``emotion``, ``sentiment``, ``degree`` and ``text``. Words have ``start``, ``end``, ``word``,
    ``concept``, ``segment`` (index, from 0), ``polarity``, ``emotion``, the affect of each class
    under its name, ``level`` (``found``, ``E1``, ``E2`` or ``E3``; empty where nothing was
    verified) and ``dropped``.

    Args:
        report: Of one video.
        path: Of the segments, ending in ``.csv``.
        media_path: Not needed.
    """
    path = Path(path)
    segments = [*('start', 'end'), *report.classes, *('emotion', 'sentiment', 'degree', 'text')]
    words = ['start', 'end', 'word', 'concept', 'segment', 'polarity', 'emotion', *report.classes]
    return [
        _write(path, segments, _segment_rows(report)),
        _write(path.with_suffix('.words.csv'), [*words, 'level', 'dropped'], _word_rows(report)),
    ]


def safe_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    is_risky = text.lstrip()[:1] in tuple(_FORMULA) or text[:1] in ("'", '\t', '\r', '\n')
    return f"'{text}" if is_risky else text


def _segment_rows(report: EmotionReport) -> Iterator[list]:
    for part in report.segments:
        yield [
            round(part.start, 3),
            round(part.end, 3),
            *(round(share, 6) for share in part.distribution),
            part.emotion,
            part.sentiment,
            round(part.degree, 6),
            part.text,
        ]


def _word_rows(report: EmotionReport) -> Iterator[list]:
    for word in report.words:
        yield [
            round(word.start, 3),
            round(word.end, 3),
            word.word,
            word.concept,
            word.segment,
            word.polarity,
            word.emotion or '',
            *(round(degree, 6) for degree in word.affect),
            '' if word.level is None else LEVELS[word.level],
            word.dropped or '',
        ]


def _write(path: Path, head: list[str], rows: Iterable[list]) -> Path:
    with (
        replacing(path) as temporary,
        open(temporary, 'w', encoding='utf-8-sig', errors='replace', newline='') as file,
    ):
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
        for row in (head, *rows):
            writer.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in row])
    return path
