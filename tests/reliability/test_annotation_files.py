"""Annotation files of the data sets, damaged: read as they are meant, or refused by file and line."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from mart_mm.datasets.affwild2 import EXPRESSIONS, AffWild2
from mart_mm.datasets.ekman6 import Ekman6
from mart_mm.datasets.iemocap import IEMOCAP
from mart_mm.datasets.manifest import ManifestDataset
from mart_mm.datasets.perr import PERR
from mart_mm.datasets.video_emotion8 import VideoEmotion8
from mart_mm.lexicon.transcript import find_sidecar
from tests.reliability.subtitle_files import deadline

TURN = '[{0}.0000 - {0}.9000]\tSes01F_impro01_F00{0}\tneu\t[2.5, 2.5, 2.5]\n'
ITEMS = [dict(id=f'Ses01F_impro01_F00{n}', label='sad', split='train') for n in (1, 2, 3)]
SPLIT_JSON = dict(
    labels=['joy'],
    database={f'v{n}': dict(subset='training', annotations=dict(label='joy')) for n in (1, 2, 3)},
)
MANIFEST = 'video,label,start,end,split\n' + ''.join(
    f'v{n}.mp4,joy,0,{n},train\n' for n in (1, 2, 3)
)
LINES = ''.join(
    json.dumps(dict(video=f'v{n}.mp4', labels=['joy', 'joy'], split='train')) + '\n'
    for n in (1, 2, 3)
)
#: data set, arguments, name of the file, its three records
KINDS: dict[str, tuple[type, dict, str, str]] = {
    'Ekman6 list': (Ekman6, {}, 'list.txt', 'joy/v1 4\njoy/v2 4\nfear/v3 3\n'),
    'Ekman6 JSON': (Ekman6, {}, 'list.json', json.dumps(SPLIT_JSON)),
    'VideoEmotion8': (VideoEmotion8, {}, 'list.txt', 'Joy/v1 5\nJoy/v2 5\nFear/v3 4\n'),
    'VideoEmotion8 test': (VideoEmotion8, {}, 'list.txt', 'Joy/v1\nJoy/v2\nFear/v3\n'),
    'PERR': (
        PERR, {}, 'list.csv',
        'clip,person_a,person_b,label\nv1,a,b,tense\nv1,a,c,mild\n"v,2",a,b,hostile\n',
    ),
    'IEMOCAP JSON': (IEMOCAP, dict(split='train'), 'list.json', json.dumps(dict(items=ITEMS))),
    'IEMOCAP lines': (
        IEMOCAP, dict(split='train'), 'list.jsonl', ''.join(json.dumps(i) + '\n' for i in ITEMS),
    ),
    'AffWild2 expressions': (
        AffWild2, dict(window_frames=2), 'Train/v.txt', ','.join(EXPRESSIONS) + '\n' + '1\n1\n2\n2\n0\n0\n',
    ),
    'AffWild2 affect': (
        AffWild2, dict(window_frames=2, preset='valence_arousal'), 'Train/v.txt',
        'valence,arousal\n' + '0.5,0.5\n0.5,-0.5\n' * 3,
    ),
    'manifest CSV': (ManifestDataset, dict(split='train', classes=['joy', 'fear'], polarity=[1, -1]),
                     'm.csv', MANIFEST),
    'manifest lines': (ManifestDataset, dict(split='train', classes=['joy', 'fear'], polarity=[1, -1]),
                       'm.jsonl', LINES),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    """MMEngine collects garbage for each data set, which takes longer than all else here."""
    monkeypatch.setattr('mmengine.dataset.base_dataset.gc.collect', lambda: 0)


def load(folder: Path, kind: str, content: bytes) -> list[dict]:
    """Records of a data set whose annotations have this content."""
    cls, options, name, _ = KINDS[kind]
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    if cls is IEMOCAP:
        turns = folder / 'Session1/dialog/EmoEvaluation/Ses01F_impro01.txt'
        turns.parent.mkdir(parents=True, exist_ok=True)
        turns.write_text(''.join(TURN.format(n) for n in (1, 2, 3)))
    given = str(path.parent if cls is AffWild2 else path)
    prefix = dict(video='', transcript='')
    data = cls(ann_file=given, data_root=str(folder), data_prefix=prefix, pipeline=[], **options)
    return [data.get_data_info(index) for index in range(len(data))]


def summary(records: list[dict]) -> list[tuple]:
    return [(record['video_id'], record['gt_emotion']) for record in records]


@pytest.mark.parametrize('kind', KINDS)
def test_marks_and_line_ends_change_nothing(tmp_path: Path, kind: str) -> None:
    text = KINDS[kind][3]
    plain = summary(load(tmp_path, kind, text.encode()))
    assert len(plain) == 3
    for variant in (text.replace('\n', '\r\n'), text.replace('\n', '\r'), f'{text}\n\n'):
        for encoding in ('utf-8', 'utf-8-sig'):
            assert summary(load(tmp_path, kind, variant.encode(encoding))) == plain


def refused(folder: Path, kind: str, content: bytes) -> str:
    """The message with which a file is refused."""
    with deadline(), pytest.raises(ValueError) as caught:
        load(folder, kind, content)
    message = str(caught.value)
    assert str(folder / KINDS[kind][2]) in message and len(message) < 1000, message[:2000]
    return message


@pytest.mark.parametrize('kind', KINDS)
def test_what_no_file_may_hold(tmp_path: Path, kind: str) -> None:
    """Zero bytes, another encoding, a line of 10 MB and nothing at all."""
    name, text = KINDS[kind][2:]
    at = text.encode().rstrip().rfind(b'\n') + 1  # the beginning of the last line
    line = text[:at].count('\n') + 1
    last = text.encode()[at:]
    message = refused(tmp_path, kind, text.encode()[:at] + b'\0' + last)
    assert f'{name}, line {line}: holds a zero byte' in message
    message = refused(tmp_path, kind, text.encode()[:at] + b'\xe9' + last)
    assert f'{name}, line {line}: is not UTF-8' in message and 'save the file as UTF-8' in message
    refused(tmp_path, kind, text.encode('utf-16'))
    refused(tmp_path, kind, b'')
    if 'test' not in kind:  # there a line is a name, and a name may be long
        long = b'x' * 10**7
        message = refused(tmp_path, kind, text.encode()[:at] + (long if at else b'{' + long))
        assert at == 0 or f'line {line}' in message or 'PERR' in kind


WRONG = {
    'Ekman6 list': ['joy/v1', 'joy/v1 7', 'joy/v1 0', 'joy/v1 -1', 'joy/v1 ²', 'joy/v1 ' + '9' * 5000, '4'],
    'VideoEmotion8': ['Joy/v9', 'Joy/v9 9'],
    'VideoEmotion8 test': ['Glee/v9', 'v9', '/v9'],
    'PERR': ['v9,a,b',
             'v9,a,b,tense,5', 'v9,,b,tense', 'v9,a,b,glad', '"v9,a,b,tense', 'v9,a,b,' + 'x' * 10**6],
    'IEMOCAP lines': ['{', '[]', '7', 'null', '{"id": 7}', '{"id": "Ses01F_impro01_F009", "label": "sad"}',
                      '[' * 100000],
    'AffWild2 expressions': ['8', '-2', '1.5', '', 'x', '²', '1,1', '9' * 5000],
    'AffWild2 affect': ['0.5', '0.5,2', 'nan,0', 'inf,0', '0,0,0', 'a,b'],
    'manifest CSV': ['v9.mp4,joy,0,1', 'v9.mp4,joy,0,1,train,x',
                     'v9.mp4,joy,-1,1,train', 'v9.mp4,joy,nan,1,train',
                     'v9.mp4,joy,2,1,train', 'v9.mp4,glee,0,1,train',
                     'v9.mp4,joy,0,1,training', ',joy,0,1,train',
                     'v9.mp4,,0,1,train', '"v9.mp4,joy,0,1,train'],
    'manifest lines': ['{', '[]', '7', '{"video": 7, "label": "joy", "split": "train"}', '[' * 100000,
                       '{"video": "a", "labels": 7, "split": "train"}',
                       '{"video": "a", "labels": {}, "split": "train"}',
                       '{"video": "a", "label": "joy", "split": ["train"]}',
                       '{"video": "a", "label": "joy", "split": "train", "start": {}}',
                       '{"video": "a", "label": "joy", "split": "train", "colour": 1}',
                       '{"video": "a", "label": "joy", "split": "train", "transcript": [1]}'],
}  # fmt: skip


@pytest.mark.parametrize(
    ('kind', 'line'), [(kind, line) for kind, lines in WRONG.items() for line in lines],
    ids=lambda value: value[:24],
)  # fmt: skip
def test_wrong_lines_are_named(tmp_path: Path, kind: str, line: str) -> None:
    good = KINDS[kind][3]
    number = good.count('\n') + 1
    more = good.splitlines()[-1] if line == '' else ''  # a blank line between two
    message = refused(tmp_path, kind, f'{good}{line}\n{more}\n'.encode())
    assert f', line {number}' in message or 'colour' in line or 'F009' in line, message


BROKEN_JSON = [b'', b'{', b'[]', b'7', b'{"items": 7}', b'{"items": [7]}', b'{"database": []}', b'[' * 10**5,
               b'{"database": {"v": 7}}', b'{"database": {"v": {"subset": "training", "annotations": []}}}',
               b'{"database": {"v": {"subset": [1], "annotations": {"label": "joy"}}, "w": {"subset": 2, '
               b'"annotations": {"label": "joy"}}}}',
               b'{"database": {"v": {"subset": "training", "annotations": {"label": ["joy"]}}}}']  # fmt: skip


@pytest.mark.parametrize('kind', ['Ekman6 JSON', 'IEMOCAP JSON'])
@pytest.mark.parametrize('content', BROKEN_JSON, ids=lambda content: content[:40].decode())
def test_json_of_another_form(tmp_path: Path, kind: str, content: bytes) -> None:
    refused(tmp_path, kind, content)


def test_turns_that_cannot_be_read_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EmoEvaluation: the other utterances stay."""
    folder = tmp_path / 'Session1/dialog/EmoEvaluation'
    folder.mkdir(parents=True)
    bad = ['[x - 1.0]\tSes01F_impro01_F009\tneu\t[1]', TURN.format(4).replace('4.9', '3.9').strip()]
    content = '% [START - END] NAME\n\n' + TURN.format(1) + '\n'.join(bad) + '\n' + TURN.format(2)
    (folder / 'a.txt').write_text(content)
    told: list[str] = []
    monkeypatch.setattr(
        'mart_mm.datasets.iemocap.print_log', lambda message, **_: told.append(message)
    )
    data = IEMOCAP(split='train', data_root=str(tmp_path), pipeline=[])
    ids = [data.get_data_info(index)['video_id'] for index in range(len(data))]
    assert ids == ['Ses01F_impro01_F001', 'Ses01F_impro01_F002']
    assert len(told) == 2
    for number, message in zip((4, 5), told, strict=True):
        assert f'a.txt, line {number}: ' in message and 'left out' in message


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    """It is a video that is missing, which fails when it is read."""
    records = load(tmp_path, 'Ekman6 list', f'joy/v1 4\njoy/{"x" * 300} 4\n'.encode())
    assert len(records) == 2 and not find_sidecar(tmp_path / ('x' * 300))


def damaged(rng: random.Random, content: bytes) -> bytes:
    content = bytearray(content)
    for _ in range(rng.randrange(1, 4)):
        place = rng.randrange(len(content) + 1)
        stop, kind = place + rng.randrange(1, 12), rng.randrange(4)
        if kind == 0:
            content[place:stop] = b''
        elif kind == 1:
            content[place:place] = content[place:stop] * rng.randrange(1, 4)
        elif kind == 2:
            content[place : place + 1] = rng.randbytes(1)
        else:
            content[place:place] = rng.choice(
                [b'\n', b'\r', b',', b'"', b'{', b'[', b' ', b'\t', b'9' * 400, b'1e999', b'NaN',
                 b'\xef\xbb\xbf',
                 b'-', b'null', b'\xc2\xb2', b'\xe2\x80\xa8', b'\x0c', b'\\ud800', b'../', b'#']
            )  # fmt: skip
    return bytes(content)


@pytest.mark.parametrize('kind', KINDS)
def test_damaged_files_are_read_or_refused(
    tmp_path: Path, kind: str, count: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    """Nothing but a ``ValueError`` that names the file; what is read has labels that exist."""
    rng, found = random.Random(0), Counter()
    number, (cls, options, name, text) = count(25, 3000), KINDS[kind]
    classes = options.get('classes') or cls.preset_metainfo(options.get('preset'))['classes']
    for _ in range(number):
        content = damaged(rng, text.encode())
        try:
            records = load(tmp_path, kind, content)
        except ValueError as error:
            # of a folder, or of a list that leaves no record, the whole is named
            where = tmp_path / ('Train' if cls is AffWild2 else name)
            assert str(where) in str(error) and len(str(error)) < 2000, (content, error)
            found['refused'] += 1
            continue
        found['read'] += 1
        for record in records:
            assert 0 <= record['gt_emotion'] < len(classes) and record['video_id']
            assert 0 <= record.get('start', 0) < record.get('end', 1e9)
    tell(
        f'{number} damaged files of {kind}: {found["refused"]} refused by name, {found["read"]} read'
    )
