"""SenticNet 6 (from its package) and SenticNet 5 (from the user's file)."""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from mart_mm.lexicon.base import LexiconEntry, normalise_concept, number_in, polarity_of
from mart_mm.lexicon.packed import PackedLexicon
from mart_mm.registry import LEXICONS

#: moods of the positive and the negative part of each sentic, in the order of the columns
#: (Susanto et al., The Hourglass Model Revisited, 2020)
SENTICS_6 = (
    ('joy', 'sadness'),  # introspection
    ('calmness', 'anger'),  # temper
    ('pleasantness', 'disgust'),  # attitude
    ('eagerness', 'fear'),  # sensitivity
)
#: (Cambria et al., SenticNet 5, AAAI 2018)
SENTICS_5 = (
    ('joy', 'sadness'),  # pleasantness
    ('interest', 'surprise'),  # attention
    ('anger', 'fear'),  # sensitivity
    ('admiration', 'disgust'),  # aptitude
)


def entry_from_row(
    concept: str, row: Sequence[str], sentics: Sequence[tuple[str, str]]
) -> LexiconEntry:
    """Read a row of SenticNet: four sentics, two moods, polarity label and value.

    A mood's degree is the positive or negative part of its sentic. Many rows have a primary mood
    whose sentic is 0; its degree is then the size of the polarity value, so that a word's own mood
    has one.

    Args:
        concept: Normalised concept.
        row: The columns, as strings.
        sentics: Moods of each sentic's positive and negative part.

    Raises:
        ValueError: When a column is missing, no number, or out of its range.
    """
    if len(row) < 8:
        raise ValueError(
            f'{len(row)} columns behind the concept; write at least 8: four sentics, two moods, '
            'polarity label, polarity value'
        )
    degrees = {}
    for cell, (positive, negative) in zip(row[:4], sentics, strict=True):
        value = number_in(cell, -1, 1, f'{positive}/{negative}')
        if value:
            degrees[positive if value > 0 else negative] = abs(value)
    moods = tuple(dict.fromkeys(tag.lstrip('#').lower() for tag in row[4:6] if tag))
    value = number_in(row[7], -1, 1, 'polarity value')
    if moods and not degrees.get(moods[0]):
        degrees[moods[0]] = abs(value)
    return LexiconEntry(concept, polarity_of(row[6]), value, moods, degrees)


def _read_senticnet6() -> dict[str, LexiconEntry]:
    from senticnet import senticnet6

    entries: dict[str, LexiconEntry] = {}
    for key, row in senticnet6.senticnet.items():
        concept = normalise_concept(key)
        if concept not in entries:
            entries[concept] = entry_from_row(concept, row, SENTICS_6)
    return entries


@LEXICONS.register_module()
class SenticNet6Lexicon(PackedLexicon):
    """SenticNet 6 (Cambria et al., CIKM 2020), 200,000 concepts, from the ``senticnet`` package.

    Some concepts stand there twice, with ``-`` and with ``_``: the first row counts. The package's
    data, 90 MB of Python objects, are imported only to be packed.

    Args:
        folder: Of the packed form; see :class:`PackedLexicon`.
    """

    def __init__(self, folder: str | None = None) -> None:
        source = Path(find_spec('senticnet.senticnet6').origin)
        super().__init__(source, _read_senticnet6, folder)


_ROW = re.compile(r"""^\s*senticnet\s*\[(?P<key>.+?)\]\s*=\s*(?P<row>\[.*\])\s*$""")


@LEXICONS.register_module()
class SenticNet5Lexicon(PackedLexicon):
    """SenticNet 5 (Cambria et al., AAAI 2018), the paper's lexicon, from a file of the user's.

    Reads ``senticnet5.py`` (lines ``senticnet['concept'] = ['-0.99', ...]``), parsed as data and
    never executed, or the same columns behind the concept as text separated by tabs or commas, with
    or without a header line. Of a concept that stands twice the first row counts.

    Args:
        path: The file.
        folder: Of the packed form; see :class:`PackedLexicon`.

    Raises:
        FileNotFoundError: When it is missing.
        ValueError: Naming file, line, field and remedy.
    """

    def __init__(self, path: str, folder: str | None = None) -> None:
        source = Path(path)
        if not source.is_file():
            raise FileNotFoundError(
                f'{path} does not exist: SenticNet 5 cannot be shipped; get it from its authors, '
                "or use lexicon=dict(type='SenticNet6Lexicon')"
            )
        super().__init__(source, partial(_read_senticnet5, source), folder)


def _read_senticnet5(source: Path) -> dict[str, LexiconEntry]:
    try:
        lines = source.read_bytes().decode('utf-8-sig').splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f'{source} is not UTF-8 text ({error}): save it as UTF-8') from error
    parse = _python_row if source.suffix == '.py' else _table_row
    entries: dict[str, LexiconEntry] = {}
    for number, line in enumerate(lines, start=1):
        try:
            parsed = parse(line)
            if parsed is None:
                continue
            entry = entry_from_row(normalise_concept(parsed[0]), parsed[1], SENTICS_5)
        except ValueError as error:
            raise ValueError(f'{source}, line {number}: {error}') from error
        entries.setdefault(entry.concept, entry)
    if not entries:
        raise ValueError(f'{source} holds no row of SenticNet 5: see the class for the formats')
    return entries


def _python_row(line: str) -> tuple[str, list[str]] | None:
    """Concept and columns of a line of ``senticnet5.py``; None for comments and other code."""
    if not re.match(r'\s*senticnet\s*\[', line):
        return None
    match = _ROW.match(line)
    try:
        key, row = ast.literal_eval(match['key'].strip()), ast.literal_eval(match['row'])
    except (TypeError, ValueError, SyntaxError):
        key, row = None, None
    if not isinstance(key, str) or not isinstance(row, list):
        raise ValueError("not read; write senticnet['concept'] = ['-0.99', ...] on one line")
    return key, row


def _table_row(line: str) -> tuple[str, list[str]] | None:
    """Concept and columns of a line of text; None for an empty line and for the header."""
    if not line.strip():
        return None
    key, *row = next(csv.reader([line], delimiter='\t' if '\t' in line else ','))
    return None if key.lower() in ('concept', 'concept_name') else (key, row)
