"""Any lexicon from a table or a JSON file."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

from mart_mm.lexicon.base import Lexicon, LexiconEntry, normalise_concept, polarity_of
from mart_mm.registry import LEXICONS

FIELDS = ('concept', 'polarity', 'value', 'moods')


@LEXICONS.register_module()
class FileLexicon(Lexicon):
    """Concepts from a ``.tsv`` with a header line, or a ``.json`` list of objects.

    ============ ====================================================================
    field        content
    ============ ====================================================================
    ``concept``  words, separated by blanks, ``_`` or ``-``
    ``polarity`` ``negative``, ``neutral`` or ``positive``
    ``value``    number in [-1, 1]
    ``moods``    mood names, separated by commas (JSON: a list), the primary one first
    ``degrees``  optional: ``joy=0.8,fear=0.1`` (JSON: an object); default: the primary
                 mood has the size of ``value``
    ============ ====================================================================

    Args:
        path: The file.

    Raises:
        FileNotFoundError: When it is missing.
        ValueError: Naming file, line, field and remedy.
    """

    def __init__(self, path: str) -> None:
        source = Path(path)
        if not source.exists():
            raise FileNotFoundError(f'lexicon {path} does not exist')
        content = source.read_bytes()
        self.digest = hashlib.sha256(content).hexdigest()
        self._entries: dict[str, LexiconEntry] = {}
        for where, row in self._rows(source, content.decode('utf-8-sig')):
            entry = self._entry(row, f'{path}, {where}')
            self._entries.setdefault(entry.concept, entry)
        if not self._entries:
            raise ValueError(f'{path} holds no concept')
        self.max_words = max(len(concept.split()) for concept in self._entries)

    @staticmethod
    def _rows(source: Path, text: str) -> Iterator[tuple[str, dict]]:
        if source.suffix == '.json':
            for index, row in enumerate(json.loads(text)):
                yield f'item {index}', row
            return
        for number, row in enumerate(csv.DictReader(io.StringIO(text), delimiter='\t'), start=2):
            yield f'line {number}', row

    @staticmethod
    def _entry(row: dict, where: str) -> LexiconEntry:
        missing = [field for field in FIELDS if row.get(field) in (None, '')]
        if missing:
            raise ValueError(f'{where}: field {missing[0]!r} is missing; fields are {FIELDS}')
        try:
            polarity, value = polarity_of(row['polarity']), float(row['value'])
        except ValueError as error:
            raise ValueError(f'{where}: {error}') from error
        if not -1 <= value <= 1:
            raise ValueError(f"{where}: field 'value' is {value}: write a number in [-1, 1]")
        moods, degrees = row['moods'], row.get('degrees') or {}
        if isinstance(moods, str):
            moods = [mood for mood in moods.replace('#', '').split(',') if mood.strip()]
        moods = tuple(mood.strip().lower() for mood in moods)
        if isinstance(degrees, str):
            try:
                pairs = [pair.split('=') for pair in degrees.split(',')]
                degrees = {mood.strip().lower(): float(degree) for mood, degree in pairs}
            except ValueError as error:
                raise ValueError(
                    f"{where}: field 'degrees' is {degrees!r}: write joy=0.8,fear=0.1"
                ) from error
        if not degrees and moods:
            degrees = {moods[0]: abs(value)}
        if any(not 0 <= degree <= 1 for degree in degrees.values()):
            raise ValueError(f"{where}: field 'degrees' leaves [0, 1]: {degrees}")
        return LexiconEntry(normalise_concept(row['concept']), polarity, value, moods, degrees)

    def lookup(self, concept: str) -> LexiconEntry | None:
        """See :class:`Lexicon`."""
        return self._entries.get(concept)

    def __len__(self) -> int:
        """Number of concepts."""
        return len(self._entries)
