"""A report as annotations for ELAN."""

from __future__ import annotations

import mimetypes
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mart_mm.exports.names import SENTIMENTS
from mart_mm.structures.emotion_report import LEVELS, EmotionReport
from mart_mm.utils.atomic import write_text

if TYPE_CHECKING:
    from pympi.Elan import Eaf

_NO_XML = re.compile('[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')
_LANGUAGE = ('und', 'http://cdb.iso.org/lg/CDB-00130975-001', 'undetermined (und)')


def write_elan(
    report: EmotionReport, path: str | Path, media_path: str | Path | None = None
) -> list[Path]:
    """Write an ELAN annotation file (EAF 2.8), times in milliseconds.

    Tiers: ``emotion`` and ``sentiment`` (each with a controlled vocabulary), ``degree`` and ``text``
    with one annotation per segment, also where neighbours are alike; ``words found``, ``words E1``,
    ``words E2`` and ``words E3`` with the words by the level they reached, or ``words`` where
    nothing was verified. ELAN knows no annotations that overlap within a tier: what would overlap
    goes to a further tier, e.g. ``words E2 (2)``. What is shorter than a millisecond is made that
    long.

    The video is linked by its path relative to the file, so that both can be moved together, and no
    folder of this computer is told.

    Args:
        report: Of one video.
        path: Ending in ``.eaf``.
        media_path: The video; None links the report's video as a neighbour of the file.
    """
    from pympi.Elan import Eaf, to_string

    path = Path(path)
    document = Eaf(author='mart-mm')
    document.header.update(MEDIA_FILE='', TIME_UNITS='milliseconds')
    _link_media(document, report, path, media_path)
    document.add_language(*_LANGUAGE)
    document.add_linguistic_type('text')
    _add_vocabulary(document, 'emotion', report.classes)
    _add_vocabulary(document, 'sentiment', SENTIMENTS.values())
    document.remove_tier('default')
    document.remove_linguistic_type('default-lt')

    segments = [(part, _milliseconds(part.start, part.end)) for part in report.segments]
    values = {
        'emotion': [(*times, part.emotion) for part, times in segments],
        'sentiment': [(*times, SENTIMENTS[part.sentiment]) for part, times in segments],
        'degree': [(*times, f'{part.degree:.3f}') for part, times in segments],
        'text': [(*times, part.text) for part, times in segments if part.text],
        **_words(report),
    }
    for name, timed in values.items():
        kind = name if name in ('emotion', 'sentiment') else 'text'
        _add_tiers(document, name, kind, timed)
    document.properties[:] = [('lastUsedAnnotationId', document.maxaid)]
    write_text(path, f'<?xml version="1.0" encoding="UTF-8"?>\n{to_string(document)}\n')
    return [path]


def _link_media(
    document: Eaf, report: EmotionReport, path: Path, media_path: str | Path | None
) -> None:
    if media_path is not None:
        relative = os.path.relpath(media_path, path.parent).replace(os.sep, '/')
    else:
        relative = report.video
    if not relative:
        return
    link = _plain(relative if relative.startswith('../') else f'./{relative}')
    kind = mimetypes.guess_type(relative)[0] or 'unknown'
    document.add_linked_file(link, relpath=link, mimetype=kind)


def _add_vocabulary(document: Eaf, name: str, values: Iterable[str]) -> None:
    """A linguistic type, and a vocabulary of the same name that it allows."""
    document.add_controlled_vocabulary(name)
    document.add_cv_description(name, _LANGUAGE[0])
    for number, value in enumerate(values):
        document.add_cv_entry(name, f'{name}-{number}', [(_plain(value), _LANGUAGE[0], None)])
    document.add_linguistic_type(
        name,
        param_dict=dict(
            LINGUISTIC_TYPE_ID=name,
            TIME_ALIGNABLE='true',
            GRAPHIC_REFERENCES='false',
            CONTROLLED_VOCABULARY_REF=name,
        ),
    )


def _words(report: EmotionReport) -> dict[str, list[tuple[int, int, str]]]:
    """Annotations of words by tier."""
    levels = sorted({word.level for word in report.words if word.level is not None})
    tiers = {None: 'words', **{level: f'words {LEVELS[level]}' for level in levels}}
    found: dict[str, list] = {tiers[level]: [] for level in levels}
    for word in report.words:
        annotation = (*_milliseconds(word.start, word.end), word.word)
        found.setdefault(tiers[word.level], []).append(annotation)
    return found


def _milliseconds(start: float, end: float) -> tuple[int, int]:
    first = max(0, round(start * 1000))
    return first, max(first + 1, round(end * 1000))


def _add_tiers(document: Eaf, name: str, kind: str, timed: list[tuple[int, int, str]]) -> None:
    """A tier, and further ones for what overlaps."""
    ends: list[int] = []  # of the last annotation of each tier
    document.add_tier(name, kind)
    for start, end, value in sorted(timed):
        number = next((i for i, last in enumerate(ends) if last <= start), len(ends))
        tier = name if number == 0 else f'{name} ({number + 1})'
        if number == len(ends):
            ends.append(end)
            if number:
                document.add_tier(tier, kind)
        ends[number] = end
        document.add_annotation(tier, start, end, _plain(value))


def _plain(text: str) -> str:
    """Without the signs that XML cannot hold."""
    return _NO_XML.sub('\ufffd', text.replace('\r\n', '\n').replace('\r', '\n'))
