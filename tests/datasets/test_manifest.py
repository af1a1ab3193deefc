from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from mart_mm.datasets.manifest import ManifestDataset, read_manifest, row_label

CLASSES, POLARITY = ['joy', 'sadness'], [1, -1]


def load(path: Path, split: str = 'train', **options: object) -> list[dict]:
    data = ManifestDataset(
        ann_file=str(path),
        data_root='',
        split=split,
        classes=CLASSES,
        polarity=POLARITY,
        pipeline=[],
        **options,
    )
    return [data.get_data_info(index) for index in range(len(data))]


def test_csv_and_json_lines_say_the_same(tmp_path: Path) -> None:
    rows = [
        dict(video='a b.mp4', start='1', end='2.5', label='joy', split='train'),
        dict(video='a b.mp4', start='3', label='sadness', transcript='x.srt', split='train'),
        dict(video='é/c.d.mkv', labels='joy;sadness;sadness', split='train', id='third'),
        dict(visual_features='v.npy', audio_features='a.npz', label='joy', split='train'),
        dict(video='e.mp4', label='joy', split='test'),
    ]
    names = list(dict.fromkeys(key for row in rows for key in row))
    lines = [','.join(names), *(','.join(row.get(name, '') for name in names) for row in rows)]
    (tmp_path / 'm.csv').write_text('\ufeff' + '\n'.join(lines), encoding='utf-8')
    rows[0] |= dict(start=1, end=2.5)
    rows[2]['labels'] = rows[2]['labels'].split(';')
    text = '\n'.join(json.dumps(row) for row in rows) + '\n\n'
    (tmp_path / 'm.jsonl').write_text(text, encoding='utf-8')

    first, second, third, features = load(tmp_path / 'm.csv')
    assert load(tmp_path / 'm.jsonl') == [first, second, third, features]
    assert first['video_path'] == str(tmp_path / 'a b.mp4')
    assert (first['start'], first['end'], first['gt_emotion']) == (1.0, 2.5, 0)
    assert (first['video_id'], second['video_id']) == ('a b.mp4#1-2.5', 'a b.mp4#3')
    assert second['transcript_path'] == str(tmp_path / 'x.srt') and 'end' not in second
    assert (third['video_id'], third['gt_emotion']) == ('third', 1)
    assert features['features'] == dict(
        visual=str(tmp_path / 'v.npy'), audio=str(tmp_path / 'a.npz')
    )
    assert features['video_path'] == ''
    assert [record['video_id'] for record in load(tmp_path / 'm.csv', 'test')] == ['e.mp4']


def test_split_by_name_keeps_parts_together(tmp_path: Path) -> None:
    lines = ['video,start,label'] + [f'v{i // 4}.mp4,{i % 4},joy' for i in range(1600)]
    (tmp_path / 'm.csv').write_text('\n'.join(lines))
    train, test = (load(tmp_path / 'm.csv', split) for split in ('train', 'test'))
    assert len(train) + len(test) == 1600
    parts = Counter(record['video_path'] for record in test)
    assert set(parts.values()) == {4}
    assert not parts.keys() & {record['video_path'] for record in train}
    assert 60 <= len(parts) <= 100  # a fifth of 400
    with pytest.raises(ValueError, match='no record'):
        load(tmp_path / 'm.csv', 'val')


def test_most_frequent_label_counts_and_ties_go_to_the_first() -> None:
    where = dict(where='m.csv, line 2')
    assert row_label(dict(labels='a; b;b', **where)) == 'b'
    assert row_label(dict(labels=['b', 'a'], **where)) == 'b'
    for row in (dict(), dict(label='a', labels='a;b')):
        with pytest.raises(ValueError, match=r"m\.csv, line 2: fill either 'label' or 'labels'"):
            row_label(row | where)


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('m.txt', '', r'm\.txt: a manifest is a \.csv or a \.jsonl file'),
        ('m.csv', 'vidoe,label\na,joy', "unknown column 'vidoe': did you mean 'video'"),
        ('m.csv', 'video,label\na,joy,x', 'line 2: more fields than columns'),
        ('m.csv', 'video,label\na,jyo', "line 2: unknown emotion class 'jyo': did you mean 'joy'"),
        ('m.csv', 'video,label\n,joy', 'line 2: neither a video nor'),
        ('m.csv', 'video,label,start\na,joy,1:20', "line 2, field 'start': '1:20' is no time"),
        ('m.csv', 'video,label,split\na,joy,dev', "line 2, field 'split': 'dev': write one of"),
        ('m.csv', 'video;label\na;joy', 'separate the columns by commas'),
        ('m.csv', 'video,label,video\na,joy,b', r"several columns are named \['video'\]"),
        ('m.csv', 'video,labels\na,;', "line 2, field 'labels': ';' names none"),
        ('m.csv', 'video,label,start,end\na,joy,5,2', "'start' and 'end': 5 is not before 2"),
        ('m.csv', 'video,label,end\na,joy,0', "'start' and 'end': 0 is not before 0"),
        ('m.csv', '', r'm\.csv: no record'),
        ('m.csv', 'video,label\na,joy\na,joy', r"listed more than once: \['a'\]"),
        ('m.jsonl', '{"video": "a"}\n[]', 'line 2: not a JSON object'),
        ('m.csv', 'video,label\n', 'no record'),
    ],
)
def test_mistakes_are_named(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        load(tmp_path / name, test_share=0.0)
    assert name in str(error.value)


def test_names_of_columns_may_have_spaces_and_capitals(tmp_path: Path) -> None:
    (tmp_path / 'm.csv').write_text('Video, Label\na.mp4,joy\n')
    (record,) = load(tmp_path / 'm.csv', test_share=0.0)
    assert record['video_path'].endswith('a.mp4')
    (tmp_path / 'm.csv').write_bytes('video,label\na.mp4,joy\n'.encode('utf-16'))
    with pytest.raises(ValueError, match=r'm\.csv, line 1: is not UTF-8 .*save the file as UTF-8'):
        load(tmp_path / 'm.csv')


def test_rows_know_their_line(tmp_path: Path) -> None:
    (tmp_path / 'm.csv').write_text('video,label\n"a\nb.mp4",joy\nc,joy')
    assert [row['where'].rpartition(' ')[2] for row in read_manifest(tmp_path / 'm.csv')] == [
        '2',
        '4',
    ]
