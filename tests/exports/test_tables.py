from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace

import pytest

from mart_mm.exports.tables import safe_cell, write_tables

EVIL = [
    '=HYPERLINK("http://x.example","click")',
    '+1+1',
    '-2',
    "@SUM(A1:A9)|cmd'!A0",
    '\t=1',
    '\r=1',
    '  =1+1',
    '＝1+1',
    "'quoted",
    'a "quoted", cell; with\nlines\r\nof it',
    'ümlaut 😀 語',
    '',
    "it's fine, a=b",
]


def read(path: Path) -> list[list[str]]:
    with open(path, encoding='utf-8-sig', newline='') as file:
        return list(csv.reader(file, strict=True))


def unescaped(cell: str) -> str:
    return cell[1:] if cell.startswith("'") else cell


def test_segments_come_back(tmp_path: Path, kit: SimpleNamespace) -> None:
    report = kit.report()
    segments, words = write_tables(report, tmp_path / 'a.emotion.csv')
    assert (segments.name, words.name) == ('a.emotion.csv', 'a.emotion.words.csv')
    head, *rows = read(segments)
    assert head == ['start', 'end', *kit.classes, 'emotion', 'sentiment', 'degree', 'text']
    assert len(rows) == 3
    for row, part in zip(rows, report.segments, strict=True):
        assert [float(cell) for cell in row[:5]] == pytest.approx(
            [part.start, part.end, *part.distribution], abs=1e-6
        )
        assert row[5] == part.emotion and int(row[6]) == part.sentiment
        assert float(row[7]) == pytest.approx(part.degree, abs=1e-6) and row[8] == part.text


def test_words_come_back(tmp_path: Path, kit: SimpleNamespace) -> None:
    report = kit.report(words=[('hate', 0.2, 0.4, 0, 3), ('day', 2.7, 2.9, 2, 0)])
    head, *rows = read(write_tables(report, tmp_path / 'a.csv')[1])
    table = [dict(zip(head, row, strict=True)) for row in rows]
    assert [(r['word'], r['level'], r['dropped']) for r in table] == [
        ('hate', 'E3', ''),
        ('day', 'found', 'sentiment'),
    ]
    assert [int(row['segment']) for row in table] == [0, 2]
    assert [float(table[1][name]) for name in kit.classes] == pytest.approx([0, 0.1, 0.2])
    unverified = kit.report(words=[('day', 2.7, 2.9, 2, None)])
    _, row = read(write_tables(unverified, tmp_path / 'b.csv')[1])
    assert row[-2:] == ['', '']


def test_no_cell_is_a_formula_and_none_is_lost(tmp_path: Path, kit: SimpleNamespace) -> None:
    words = [(text, 0.1, 0.2, 0, 3) for text in EVIL]
    report = kit.report(EVIL, words=words, classes=('=joy', '-fear', 'x'))
    for path, column in zip(write_tables(report, tmp_path / 'a.csv'), (-1, 2), strict=True):
        assert path.read_bytes().startswith(b'\xef\xbb\xbf')
        head, *rows = read(path)
        assert [unescaped(row[column]) for row in rows] == EVIL
        assert [unescaped(cell) for cell in head if 'joy' in cell] == ['=joy']
        for cell in [*head, *(cell for row in rows for cell in row)]:
            is_number = cell.lstrip('-').replace('.', '', 1).isdigit()
            assert is_number or cell.strip()[:1] not in tuple('=+-@＝＋－＠') or not cell
            assert cell[:1] not in ('\t', '\r', '\n')
    # a negative number stays one, only texts are guarded
    head, *rows = read(tmp_path / 'a.csv')
    assert {int(row[head.index('sentiment')]) for row in rows} == {-1, 0, 1}
    assert [safe_cell(text) == text for text in EVIL] == [False] * 9 + [True] * 4
