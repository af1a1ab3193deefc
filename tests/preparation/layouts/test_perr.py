from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from mart_mm.preparation.layouts.perr import plan
from mart_mm.preparation.plan import PreparationError

HEAD = 'clip,person_a,person_b,label'


def raw(root: Path, **tables: str) -> Path:
    for clip in ('s1/a', 's1/b', 's2/c.d', 's2/e', 'f'):
        (root / 'clips' / clip).parent.mkdir(parents=True, exist_ok=True)
        (root / 'clips' / f'{clip}.mkv').touch()
    for name, text in tables.items():
        (root / f'{name}.csv').write_text(text)
    return root


def lines(content: bytes) -> list[dict]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_given_splits_are_kept(tmp_path):
    train = f'{HEAD},start\ns1\\a.mp4,Ann,Bob,Hostile,\ns1/a,Ann,Cy,mild,2.5\n./s2/c.d,A,B,tense,\n'
    made = plan(
        raw(tmp_path, train=train, test=f'{HEAD}\nf,A,B,neutral\nlost,A,B,mild\n'), None, 0.2, 0
    )
    rows = lines(made.annotations['annotations/train.csv'])
    assert [row['clip'] for row in rows] == ['s1/a', 's1/a', 's2/c.d']
    assert [row['label'] for row in rows] == ['hostile', 'mild', 'tense']
    assert rows[1]['start'] == '2.5' and rows[0]['end'] == ''
    assert list(lines(made.annotations['annotations/test.csv'])[0]) == HEAD.split(',')
    assert [m.target for m in made.media] == ['videos/s1/a', 'videos/s2/c.d', 'videos/f']
    assert made.missing == {'videos/lost': 'no file of this name'}
    assert sorted(made.unused) == ['clips/s1/b.mkv', 'clips/s2/e.mkv']
    column = f'{HEAD},split\ns1/a,A,B,mild,Train\nf,A,B,mild,test\n'
    (tmp_path / 'tables').mkdir()
    (tmp_path / 'tables' / 'pairs.csv').write_text(column)
    made = plan(tmp_path, tmp_path / 'tables', 0.2, 0)
    for split, clip in (('train', 's1/a'), ('test', 'f')):
        assert [r['clip'] for r in lines(made.annotations[f'annotations/{split}.csv'])] == [clip]


def test_clips_are_dealt_out_whole(tmp_path):
    pairs = [(f'clip{n}', a, b) for n in range(40) for a, b in ('AB', 'BC')[: 1 + n % 2]]
    rows = [f'{clip},{a},{b},mild' for clip, a, b in pairs]
    raw(tmp_path, pairs='\n'.join([HEAD, *rows]))

    def split(seed: int) -> dict[str, set]:
        made = plan(tmp_path, None, 0.25, seed)
        parts = {
            name: lines(made.annotations[f'annotations/{name}.csv']) for name in ('train', 'test')
        }
        assert sum(map(len, parts.values())) == len(rows)
        return {name: {row['clip'] for row in part} for name, part in parts.items()}

    first = split(0)
    assert len(first['test']) == 10 and not first['train'] & first['test']
    assert split(1) != first
    (tmp_path / 'pairs.csv').write_text('\n'.join([HEAD, *reversed(rows)]))
    assert split(0) == first  # whatever the order of the lines


@pytest.mark.parametrize(
    ('table', 'message'),
    [
        ('a,A,B,hostil', "line 2: unknown label 'hostil': did you mean 'hostile'"),
        ('a,,B,mild\nb,A,B,sad', r'(?s)line 2: person_a is empty.*line 3: unknown label'),
        ('../a,A,B,mild', 'line 2: clip .* must be a path below'),
        ('a,A,B,mild\na,A,B,tense', r'line 3: the pair a A B stands at .* line 2 too'),
        ('a,A,B,mild,5,4', 'line 2: end 4 is not after start 5'),
        ('a,A,B,mild,soon', "line 2: start: 'soon' is no time"),
        ('a,A,B,mild,,,dev', "line 2: unknown split 'dev'"),
        ('a,A,B,mild,,,train\na,B,C,mild,,,test', "clip 'a' is in several splits: train .*line 2"),
    ],
)
def test_bad_lines_are_all_named(tmp_path, table, message):
    head = f'{HEAD},start,end' + (',split' if ',,,' in table else '')
    (tmp_path / 'pairs.csv').write_text(f'{head}\n{table}\n')
    with pytest.raises(PreparationError, match=message):
        plan(tmp_path, None, 0.2, 0)


def test_tables_that_do_not_serve(tmp_path):
    assert 'no .csv file' in plan(tmp_path, None, 0.2, 0).lacking[0]
    (tmp_path / 'a.csv').write_text('clip,label\n')
    with pytest.raises(PreparationError, match=r"no column \['person_a', 'person_b'\]"):
        plan(tmp_path, None, 0.2, 0)
    (tmp_path / 'b.csv').write_text('')
    with pytest.raises(PreparationError, match='2 CSV files'):
        plan(tmp_path, None, 0.2, 0)
    with pytest.raises(PreparationError, match='--test-share 1'):
        plan(tmp_path, None, 1, 0)
