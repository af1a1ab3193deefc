"""Any lexicon from a table or a JSON file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from mart_mm.lexicon.base import LexiconEntry, normalise_concept, number_in, polarity_of
from mart_mm.lexicon.packed import PackedLexicon
from mart_mm.registry import LEXICONS

FIELDS = ('concept', 'polarity', 'value', 'moods')
_DELIMITERS = {'.tsv': '\t', '.txt': '\t', '.csv': ','}


@LEXICONS.register_module()
class FileLexicon(PackedLexicon):
    """Concepts from a ``.tsv`` or ``.csv`` with a header line, or a ``.json`` list of objects.

    ============ ====================================================================
    field        content
    ============ ====================================================================
    ``concept``  words, separated by blanks, ``_`` or ``-``
    ``polarity`` ``negative``, ``neutral`` or ``positive``
    ``value``    number in [-1, 1]
    ``moods``    mood names, separated by commas (JSON: a list), the primary one first;
                 empty for none
    ``degrees``  optional: ``joy=0.8,fear=0.1`` (JSON: an object); where the primary mood
                 has none, it gets the size of ``value``
    ============ ====================================================================

    Of a concept that stands twice the first row counts.

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
            raise FileNotFoundError(f'lexicon {path} does not exist')
        super().__init__(source, partial(_read, source), folder)
        self.max_words = self.tree.max_words


def _read(source: Path) -> dict[str, LexiconEntry]:
    try:
        text = source.read_bytes().decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise ValueError(f'{source} is not UTF-8 text ({error}): save it as UTF-8') from error
    entries: dict[str, LexiconEntry] = {}
    for where, row in _rows(source, text):
        try:
            entry = _entry(row)
        except ValueError as error:
            raise ValueError(f'{source}, {where}: {error}') from error
        entries.setdefault(entry.concept, entry)
    if not entries:
        raise ValueError(f'{source} holds no concept; fields are {FIELDS}')
    return entries


def _rows(source: Path, text: str) -> Iterator[tuple[str, object]]:
    """Place and content of each row."""
    suffix = source.suffix.lower()
    if suffix == '.json':
        try:
            rows = json.loads(text)
        except ValueError as error:
            raise ValueError(f'{source} is not JSON: {error}') from error
        if not isinstance(rows, list):
            raise ValueError(f'{source} is a {type(rows).__name__}: write a list of objects')
        yield from ((f'item {index}', row) for index, row in enumerate(rows))
    elif suffix in _DELIMITERS:
        reader = csv.DictReader(io.StringIO(text), delimiter=_DELIMITERS[suffix])
        missing = [field for field in FIELDS if field not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(
                f'{source}, line 1: field {missing[0]!r} is missing; the first line names {FIELDS}'
            )
        yield from ((f'line {reader.line_num}', row) for row in reader)
    else:
        raise ValueError(f'{source}: a lexicon ends in .json, {", ".join(_DELIMITERS)}')


def _entry(row: object) -> LexiconEntry:
    if not isinstance(row, dict):
        raise ValueError(f'{row!r} is no object with the fields {FIELDS}')
    for field in FIELDS:
        if row.get(field) is None or (field != 'moods' and row[field] == ''):
            raise ValueError(f'field {field!r} is missing; fields are {FIELDS}')
    concept = normalise_concept(str(row['concept']))
    if not concept:
        raise ValueError(f"field 'concept' is {row['concept']!r}: write at least one word")
    value = number_in(row['value'], -1, 1, 'value')
    moods, degrees = _moods(row['moods']), _degrees(row.get('degrees') or {})
    if moods and not degrees.get(moods[0]):
        degrees[moods[0]] = abs(value)
    return LexiconEntry(concept, polarity_of(row['polarity']), value, moods, degrees)


def _mood(name: str) -> str:
    return name.strip().lstrip('#').lower()


def _moods(cell: object) -> tuple[str, ...]:
    if isinstance(cell, str):
        cell = [name for name in cell.split(',') if name.strip()]
    if not isinstance(cell, list) or not all(isinstance(name, str) for name in cell):
        raise ValueError(f"field 'moods' is {cell!r}: write joy,calmness (JSON: a list of names)")
    return tuple(dict.fromkeys(map(_mood, cell)))


def _degrees(cell: object) -> dict[str, float]:
    if isinstance(cell, str):
        pairs = [pair.split('=') for pair in cell.split(',')]
        cell = dict(pairs) if all(len(pair) == 2 for pair in pairs) else None
    if not isinstance(cell, dict):
        raise ValueError("field 'degrees' is not read: write joy=0.8,fear=0.1 (JSON: an object)")
    return {_mood(mood): number_in(degree, 0, 1, 'degrees') for mood, degree in cell.items()}
