from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from mart_mm.lexicon.file_lexicon import FileLexicon
from mart_mm.registry import LEXICONS

HEADER = 'concept\tpolarity\tvalue\tmoods\tdegrees\n'


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding='utf-8')
    return str(path)


def test_the_three_formats_agree(tmp_path: Path) -> None:
    tsv = write(
        tmp_path / 'a.tsv',
        HEADER
        + 'Big_Smile\tpositive\t0.8\t#joy,calmness\tjoy=0.9,calmness=0.2\n'
        + 'table\tneutral\t0\t\t\n'
        + 'cold-hearted\tnegative\t-0.6\tanger\t\n',
    )
    rows = [
        dict(
            concept='big smile',
            polarity='positive',
            value=0.8,
            moods=['joy', 'calmness'],
            degrees=dict(joy=0.9, calmness=0.2),
        ),
        dict(concept='table', polarity='neutral', value=0, moods=[]),
        dict(concept='cold hearted', polarity='negative', value=-0.6, moods=['anger']),
    ]
    table = write(tmp_path / 'a.json', json.dumps(rows))
    comma = write(
        tmp_path / 'a.csv',
        'moods,concept,value,polarity,degrees\n'
        '"joy,calmness",big smile,0.8,Positive,"joy=0.9, calmness=0.2"\n'
        ',table,0,neutral,\nanger,cold hearted,-0.6,negative,\n',
    )
    expected = [
        ('big smile', 1, 0.8, ('joy', 'calmness'), {'joy': 0.9, 'calmness': 0.2}),
        ('table', 0, 0.0, (), {}),
        ('cold hearted', -1, -0.6, ('anger',), {'anger': 0.6}),
    ]
    for path in (tsv, table, comma):
        lexicon = LEXICONS.build(dict(type='FileLexicon', path=path))
        assert len(lexicon) == 3 and lexicon.max_words == 2
        assert [lexicon.lookup(entry[0]) for entry in expected] == expected
        assert lexicon.lookup('Cold-Hearted') == expected[2]
        assert lexicon.digest == hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_first_of_two_rows_counts_and_primary_mood_gets_a_degree(tmp_path: Path) -> None:
    text = HEADER + 'a\tpositive\t0.4\tjoy\tfear=0.1\na\tnegative\t-1\tfear\t\n'
    entry = FileLexicon(write(tmp_path / 'a.tsv', text)).lookup('a')
    assert entry == ('a', 1, 0.4, ('joy',), {'fear': 0.1, 'joy': 0.4})


@pytest.mark.parametrize(
    ('row', 'message'),
    [
        ('a\tgood\t0.5\tjoy\t', "line 3: field 'polarity' is 'good': write negative"),
        ('a\tpositive\tmuch\tjoy\t', "line 3: field 'value' is 'much': write a number"),
        ('a\tpositive\t2\tjoy\t', "line 3: field 'value' is '2': write a number in [-1, 1]"),
        ('a\tpositive\tnan\tjoy\t', "line 3: field 'value' is 'nan'"),
        ('a\tpositive\t0.5\tjoy\tjoy', "line 3: field 'degrees' is not read: write joy=0.8"),
        (
            'a\tpositive\t0.5\tjoy\tjoy=3',
            "line 3: field 'degrees' is '3': write a number in [0, 1]",
        ),
        ('\tpositive\t0.5\tjoy\t', "line 3: field 'concept' is missing"),
        ('_\tpositive\t0.5\tjoy\t', "line 3: field 'concept' is '_': write at least one word"),
        ('a\tpositive', "line 3: field 'value' is missing"),
    ],
)
def test_errors_in_a_table(tmp_path: Path, row: str, message: str) -> None:
    path = write(tmp_path / 'bad.tsv', f'{HEADER}ok\tpositive\t1\tjoy\t\n{row}\n')
    with pytest.raises(ValueError, match=r'bad\.tsv') as error:
        FileLexicon(path)
    assert message in str(error.value)


def test_blank_lines_do_not_shift_the_line_number(tmp_path: Path) -> None:
    path = write(tmp_path / 'bad.tsv', f'{HEADER}\n\nx\tbad\t1\tjoy\t\n')
    with pytest.raises(ValueError, match='line 4'):
        FileLexicon(path)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('{', 'is not JSON'),
        ('{"a": 1}', 'is a dict: write a list of objects'),
        ('[3]', 'item 0: 3 is no object'),
        (
            '[{"concept": "a", "polarity": "positive", "value": 1, "moods": [1]}]',
            "item 0: field 'moods' is [1]",
        ),
        (
            '[{"concept": "a", "polarity": 1, "value": 1, "moods": []}]',
            "item 0: field 'polarity' is 1",
        ),
        ('[]', 'holds no concept'),
    ],
)
def test_errors_in_json(tmp_path: Path, content: str, message: str) -> None:
    path = write(tmp_path / 'bad.json', content)
    with pytest.raises(ValueError, match=r'bad\.json') as error:
        FileLexicon(path)
    assert message in str(error.value)


def test_errors_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r'none\.tsv'):
        FileLexicon(str(tmp_path / 'none.tsv'))
    with pytest.raises(ValueError, match="line 1: field 'polarity' is missing"):
        FileLexicon(write(tmp_path / 'head.tsv', 'concept\tvalue\nx\t1\n'))
    with pytest.raises(ValueError, match=r'ends in \.json, \.tsv, \.txt, \.csv'):
        FileLexicon(write(tmp_path / 'a.xlsx', 'x'))
    (tmp_path / 'latin.tsv').write_bytes(b'concept\xe9\t')
    with pytest.raises(ValueError, match='save it as UTF-8'):
        FileLexicon(str(tmp_path / 'latin.tsv'))
