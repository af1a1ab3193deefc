"""Lists as they are published, and the traps in them."""

from __future__ import annotations

import json
import logging
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from mmengine.logging import MMLogger

from mart_mm.datasets.affwild2 import (
    AFFECT_REGIONS,
    EXPRESSIONS,
    AffWild2,
    affect_regions,
    read_expressions,
    read_valence_arousal,
)
from mart_mm.datasets.ekman6 import Ekman6
from mart_mm.datasets.iemocap import IEMOCAP, read_evaluation, read_id_list, read_transcription
from mart_mm.datasets.lists import read_split_json, read_tsn_list
from mart_mm.datasets.perr import PERR
from mart_mm.datasets.video_emotion8 import VideoEmotion8

IEMOCAP_CODES = dict(
    happy='hap', sad='sad', neutral='neu', angry='ang', excited='exc', frustrated='fru'
)


@pytest.fixture
def messages(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What data sets say at load."""
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    caplog.set_level(logging.INFO)
    yield caplog
    logger.removeHandler(caplog.handler)


def public_root(source: Path, target: Path) -> str:
    """A data set's tree with the public lists and no video."""
    shutil.copytree(source, target / 'annotations')
    (target / 'videos').mkdir()
    return str(target)


def labels_of(data: object) -> list[int]:
    return [data.get_data_info(index)['gt_emotion'] for index in range(len(data))]


@pytest.mark.parametrize(('split', 'count'), [('train', 819), ('test', 818)])
def test_ekman6_public_split(shared_data: Path, tmp_path: Path, split: str, count: int) -> None:
    root = public_root(shared_data / 'annotations' / 'ekman6', tmp_path / 'ekman6')
    data = Ekman6(ann_file=f'annotations/{split}list01.txt', data_root=root, pipeline=[])
    subset = dict(train='training', test='validation')[split]
    same = Ekman6(ann_file='annotations/ek6_01.json', subset=subset, data_root=root, pipeline=[])
    assert len(data) == len(same) == count
    records = [data.get_data_info(index) for index in range(count)]
    assert all(
        record['video_id'].split('/')[0] == data.metainfo['classes'][record['gt_emotion']]
        for record in records
    )
    others = {same.get_data_info(i)['video_id']: labels_of(same)[i] for i in range(0, count, 40)}
    listed = {record['video_id']: record['gt_emotion'] for record in records}
    assert all(listed[name] == label for name, label in others.items())


def test_video_emotion8_public_split_and_its_traps(
    shared_data: Path, tmp_path: Path, messages: pytest.LogCaptureFixture
) -> None:
    source = shared_data / 'annotations' / 'video_emotion8'
    assert len((source / 'trainlist01.txt').read_text().splitlines()) == 732
    root = public_root(source, tmp_path / 've8')
    train = VideoEmotion8(ann_file='annotations/trainlist01.txt', data_root=root, pipeline=[])
    test = VideoEmotion8(ann_file='annotations/testlist01.txt', data_root=root, pipeline=[])
    assert (len(train), len(test)) == (731, 367)
    text = messages.text
    assert "'3527012618_7ceb8fb27b_700' is listed as Disgust and as Fear" in text
    assert '731 records' in text and 'Surprise 166' in text and '367 records' in text
    database = json.loads((source / 've8_01.json').read_text())['database']
    for data, subset in ((train, 'training'), (test, 'validation')):
        listed = {}
        for index in range(len(data)):
            record = data.get_data_info(index)
            folder, _, name = record['video_id'].partition('/')
            listed[name] = data.metainfo['classes'][record['gt_emotion']]
            assert folder == listed[name]
            # dots and brackets in names survive
            assert record['video_path'].endswith(f'/{name}.mp4')
        expected = {
            name: entry['annotations']['label']
            for name, entry in database.items()
            if entry['subset'] == subset
        }
        assert listed == expected
    assert sum('.' in name for name in listed) > 3


@pytest.mark.parametrize('line', ['anger/1', 'anger/1 x', 'anger/1 0', 'anger/1 7'])
def test_bad_line_of_a_list_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / 'list.txt').write_text(f'anger/0 1\n{line}\n')
    with pytest.raises(ValueError, match=r'list\.txt, line 2'):
        read_tsn_list(tmp_path / 'list.txt', Ekman6.METAINFO['classes'])


def test_unknown_folder_and_subset_are_named(tmp_path: Path) -> None:
    (tmp_path / 'list.txt').write_text('Trust/a\nTrsut/b')
    with pytest.raises(ValueError, match=r"line 2: .*'Trsut': did you mean 'Trust'"):
        read_tsn_list(tmp_path / 'list.txt', VideoEmotion8.METAINFO['classes'], has_labels=False)
    content = dict(database=dict(a=dict(subset='training', annotations=dict(label='Joy'))))
    (tmp_path / 'list.json').write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"subset 'test'; there are \['training'\]"):
        read_split_json(tmp_path / 'list.json', ['Joy'], 'test')
    with pytest.raises(ValueError, match=r"'a': unknown emotion class 'Joy'"):
        read_split_json(tmp_path / 'list.json', ['Trust'], 'training')
    (tmp_path / 'list.json').write_text('[]')
    with pytest.raises(ValueError, match=r'list\.json: not of the form'):
        read_split_json(tmp_path / 'list.json', ['Joy'], 'training')


@pytest.fixture(scope='session')
def iemocap_tree(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The public utterances and labels, in EmoEvaluation files with made-up times."""
    root = tmp_path_factory.mktemp('iemocap')
    path = shared_data / 'annotations' / 'iemocap' / 'labels_6way.json'
    shutil.copy(path, root / 'labels.json')
    dialogues = defaultdict(list)
    for item in json.loads(path.read_text())['items']:
        dialogues[item['dialog']].append(item)
    for name, items in dialogues.items():
        folder = root / f'Session{int(name[3:5])}' / 'dialog' / 'EmoEvaluation'
        folder.mkdir(parents=True, exist_ok=True)
        text = '% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n'
        for number, item in enumerate(items):
            text += f'[{number}.2500 - {number + 1}.0000]\t{item["id"]}\t'
            text += f'{IEMOCAP_CODES[item["label"]]}\t[2.5000, 2.5000, 2.5000]\n'
            text += 'C-E2:\tNeutral;\t()\nA-E3:\tval 3; act 2; dom  2;\t()\n\n'
        text += f'[90.0000 - 91.0000]\t{name}_F900\txxx\t[2.5000, 2.5000, 2.5000]\n'
        (folder / f'{name}.txt').write_text(text)
        (folder / f'._{name}.txt').write_bytes(b'\x00\x05\x16\x07Mac OS X')
    return root


def test_iemocap_public_six_way_split(iemocap_tree: Path) -> None:
    counts = Counter()
    for split, total in (('train', 5810), ('test', 1623)):
        by_session = IEMOCAP(data_root=str(iemocap_tree), split=split, pipeline=[])
        by_list = IEMOCAP(
            data_root=str(iemocap_tree), ann_file='labels.json', split=split, pipeline=[]
        )
        assert len(by_session) == len(by_list) == total
        assert Counter(labels_of(by_session)) == Counter(labels_of(by_list))
        counts.update(by_list.metainfo['classes'][label] for label in labels_of(by_list))
    assert counts == dict(
        happy=648, sad=1084, neutral=1708, angry=1103, excited=1041, frustrated=1849
    )


def test_iemocap_four_way_session_five(iemocap_tree: Path, shared_data: Path) -> None:
    folder = shared_data / 'annotations' / 'iemocap' / 'session5_4way'
    expected = dict(train=(1324, 1194, 933, 839), test=(384, 442, 170, 245))
    assert sum(map(sum, expected.values())) == 5531
    for split, counts in expected.items():
        data = IEMOCAP(
            data_root=str(iemocap_tree),
            ann_file=str(folder / f'iemocap_{split}_fold_5.jsonl'),
            split=split,
            preset='4-way',
            pipeline=[],
        )
        assert data.metainfo['classes'] == ['neutral', 'happy', 'angry', 'sad']
        assert [Counter(labels_of(data))[index] for index in range(4)] == list(counts)


def test_iemocap_leaves_each_session_out_once(
    iemocap_tree: Path, messages: pytest.LogCaptureFixture
) -> None:
    seen = Counter()
    for session in range(1, 6):
        test, train = (
            IEMOCAP(data_root=str(iemocap_tree), split=s, test_session=session, pipeline=[])
            for s in ('test', 'train')
        )
        ids = {test.get_data_info(index)['video_id'] for index in range(len(test))}
        assert all(name.startswith(f'Ses0{session}') for name in ids)
        assert len(test) + len(train) == 7433
        seen.update(ids)
    assert len(seen) == 7433 and set(seen.values()) == {1}
    assert 'session 5 is held out' in messages.text and 'left out: xxx' in messages.text


def utterances(tmp_path: Path) -> Path:
    """Two turns of one dialogue, in the release's own format."""
    folder = tmp_path / 'Session1' / 'dialog'
    for kind in ('EmoEvaluation', 'transcriptions', 'avi/DivX'):
        (folder / kind).mkdir(parents=True)
    (folder / 'EmoEvaluation' / 'Ses01F_impro01.txt').write_text(
        '[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]\n'
        'C-E2:\tNeutral;\t()\n'
        '[10.0100 - 11.3925]\tSes01F_impro01_M001\texc\t[4.5000, 4.0000, 2.5000]\n'
        '[12.0000 - 13.0000]\tSes01F_impro01_M002\toth\t[4.5000, 4.0000, 2.5000]\n'
    )
    (folder / 'transcriptions' / 'Ses01F_impro01.txt').write_text(
        'Ses01F_impro01_F000 [006.2901-008.2357]: Excuse me.\n'
        'Ses01F_impro01_M001 [010.0100-011.3925]: Yeah: what?\nM: [a remark]\n'
    )
    (folder / 'avi' / 'DivX' / 'Ses01F_impro01.avi').touch()
    return tmp_path


def test_iemocap_utterances_carry_time_text_and_speaker(tmp_path: Path) -> None:
    root = utterances(tmp_path)
    options = dict(data_root=str(root), split='train', crop_speaker=True, pipeline=[])
    data = IEMOCAP(**options)
    first, second = (data.get_data_info(index) for index in range(2))
    assert (first['start'], first['end'], first['gt_emotion']) == (6.2901, 8.2357, 2)
    assert first['lines'] == [(6.2901, 8.2357, 'Excuse me.')]
    assert second['lines'][0][2] == 'Yeah: what?' and second['gt_emotion'] == 4
    assert first['video_path'].endswith('Session1/dialog/avi/DivX/Ses01F_impro01.avi')
    # the woman wears the markers in Ses01F
    assert first['crop'] == (0.0, 0.0, 0.5, 1.0) and second['crop'] == (0.5, 0.0, 1.0, 1.0)
    other = IEMOCAP(**options, marked_side='right').get_data_info(0)
    assert other['crop'] == second['crop']
    assert 'crop' not in IEMOCAP(**options | dict(crop_speaker=False)).get_data_info(0)
    four = IEMOCAP(**options, preset='4-way')
    assert [four.metainfo['classes'][label] for label in labels_of(four)] == ['neutral', 'happy']
    two = IEMOCAP(**options, preset='4-way', sentiment='two-way')
    assert four.metainfo['polarity'] == [0, 1, -1, -1] and two.metainfo['polarity'] == [
        1,
        1,
        -1,
        -1,
    ]


def test_iemocap_says_what_is_wrong(tmp_path: Path) -> None:
    options = dict(data_root=str(tmp_path), split='train', pipeline=[])
    with pytest.raises(FileNotFoundError, match=r'EmoEvaluation/Ses01F_impro01\.txt'):
        IEMOCAP(**options)
    utterances(tmp_path)
    for option in (dict(split='val'), dict(test_session=6), dict(marked_side='top')):
        with pytest.raises(ValueError, match=f'{next(iter(option))}=.*choose one of'):
            IEMOCAP(**options | option)
    with pytest.raises(ValueError, match="unknown preset '5-way'.*'6-way'"):
        IEMOCAP(**options, preset='5-way')
    path = tmp_path / 'list.jsonl'
    path.write_text('{"id": "Ses02F_impro01_F000", "label": "sad"}\n')
    with pytest.raises(
        ValueError, match=r'list\.jsonl: utterance Ses02F_impro01_F000 is in no file'
    ):
        IEMOCAP(**options, ann_file=str(path))
    path.write_text('{"id": "Ses02F", "label": "sad"}\n')
    with pytest.raises(ValueError, match=r'list\.jsonl, line 1'):
        read_id_list(path, 'train')
    assert read_evaluation(path) == [] and read_transcription(path) == {}


def perr_root(tmp_path: Path, content: str) -> str:
    (tmp_path / 'annotations').mkdir(exist_ok=True)
    (tmp_path / 'videos').mkdir(exist_ok=True)
    (tmp_path / 'annotations' / 'train.csv').write_text(content)
    return str(tmp_path)


def test_perr_has_a_record_per_pair(tmp_path: Path) -> None:
    root = perr_root(
        tmp_path,
        'clip,person_a,person_b,label,start,end\na/1.x,Ann,Bob,Hostile,,\na/1.x,Ann,Cy,mild,2.5,4\n',
    )
    data = PERR(ann_file='annotations/train.csv', data_root=root, pipeline=[])
    first, second = (data.get_data_info(index) for index in range(2))
    assert first['video_path'] == second['video_path'] == f'{root}/videos/a/1.x.mp4'
    assert (first['video_id'], first['gt_emotion']) == ('a/1.x#Ann-Bob', 4)
    assert (second['start'], second['end'], second['gt_emotion']) == (2.5, 4.0, 1)
    assert 'start' not in first
    assert data.metainfo['polarity'] == [0, 1, 1, -1, -1]


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ('a,b,c,hostil', "line 2: unknown emotion class 'hostil': did you mean 'hostile'"),
        ('a,,c,mild', 'line 2: clip, person_a and person_b must not be empty'),
        ('a,b,c,mild\na,b,c,mild', r"listed more than once: \['a#b-c'\]"),
    ],
)
def test_perr_names_bad_lines(tmp_path: Path, line: str, message: str) -> None:
    root = perr_root(tmp_path, f'clip,person_a,person_b,label\n{line}\n')
    with pytest.raises(ValueError, match=message):
        PERR(ann_file='annotations/train.csv', data_root=root, pipeline=[])
    root = perr_root(tmp_path, 'clip,label\n')
    with pytest.raises(ValueError, match=r"no column \['person_a', 'person_b'\]"):
        PERR(ann_file='annotations/train.csv', data_root=root, pipeline=[])


def affwild_root(tmp_path: Path, **files: str) -> str:
    for kind in ('EXPR', 'VA'):
        (tmp_path / 'annotations' / kind).mkdir(parents=True, exist_ok=True)
    (tmp_path / 'videos').mkdir(exist_ok=True)
    for name, content in files.items():
        kind, _, stem = name.partition('_')
        (tmp_path / 'annotations' / kind / f'{stem}.txt').write_text(content)
    return str(tmp_path)


def test_affwild2_windows_follow_the_frames(
    tmp_path: Path, messages: pytest.LogCaptureFixture
) -> None:
    rng = np.random.default_rng(0)
    frames = rng.integers(-1, 8, 103)
    frames[40:60] = -1
    content = ','.join(EXPRESSIONS) + '\n' + '\n'.join(map(str, frames)) + '\n\n'
    root = affwild_root(tmp_path, EXPR_v1=content, EXPR_v1_left=content)
    (tmp_path / 'videos' / 'v1.mp4').touch()
    options = dict(ann_file='annotations/EXPR', data_root=root, pipeline=[], window_frames=20)
    for preset, classes in (('8-way', 8), ('7-way', 7)):
        data = AffWild2(**options, preset=preset)
        expected = []
        for start in (0, 20, 40, 60, 80):  # the last 3 frames are less than half a window
            inside = [f for f in frames[start : start + 20] if 0 <= f < classes]
            if len(inside) >= 10:
                counts = [inside.count(c) for c in range(classes)]
                expected.append((start, start + 20, counts.index(max(counts))))
        records = [data.get_data_info(index) for index in range(len(data))]
        for name in ('v1', 'v1_left'):
            mine = [r for r in records if r['video_id'].startswith(f'{name}#')]
            found = [(r['start_frame'], r['stop_frame'], r['gt_emotion']) for r in mine]
            assert found == expected
            assert all(r['video_path'] == f'{root}/videos/v1.mp4' for r in mine)
        kept = frames[:20].copy()
        kept[kept >= classes] = -1
        assert records[0]['frame_classes'].tolist() == kept.tolist()
    assert 'windows with less than 50% labelled frames left out' in messages.text
    (tmp_path / 'cropped_aligned').mkdir()
    face = AffWild2(**options, faces=True).get_data_info(0)
    assert face['video_path'] == f'{root}/cropped_aligned/v1'
    assert (face['audio_path'], face['fps']) == (f'{root}/videos/v1.mp4', 30.0)


def test_affwild2_affect_becomes_regions(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pairs = rng.uniform(-1, 1, (200, 2)).round(3)
    lines = [f'{v},{a}' for v, a in pairs]
    lines[3] = '-5,-5'
    root = affwild_root(tmp_path, VA_v='valence,arousal\n' + '\n'.join(lines))
    values = read_valence_arousal(Path(root) / 'annotations' / 'VA' / 'v.txt')
    assert np.isnan(values[3]).all() and not np.isnan(np.delete(values, 3, 0)).any()
    regions = affect_regions(values, 0.2)
    for index, (v, a) in enumerate(pairs):
        if index == 3:
            assert regions[index] == -1
            continue
        quadrant = {(1, 1): 'excited', (0, 1): 'distressed', (0, 0): 'depressed', (1, 0): 'relaxed'}
        name = 'neutral' if v * v + a * a < 0.04 else quadrant[int(v >= 0), int(a >= 0)]
        assert AFFECT_REGIONS[regions[index]] == name
    data = AffWild2(
        ann_file='annotations/VA',
        data_root=root,
        pipeline=[],
        preset='valence_arousal',
        window_frames=200,
    )
    assert labels_of(data) == [np.bincount(regions[regions >= 0]).argmax()]


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('EXPR_v', 'Neutral\n0', 'the first line must be Neutral,Anger'),
        ('EXPR_v', ','.join(EXPRESSIONS) + '\n0\n8', r'line 3: .8. is no class from -1 to 7'),
        ('EXPR_v', ','.join(EXPRESSIONS[:7]) + '\n7', r'line 2: .7. is no class from -1 to 6'),
        ('EXPR_v', '', 'the file is empty'),
        ('VA_v', 'valence,arousal\n0.5', 'line 2'),
        ('VA_v', 'valence,arousal\n0.5,1.5', 'line 2'),
    ],
)
def test_affwild2_names_bad_lines(tmp_path: Path, name: str, content: str, message: str) -> None:
    root = Path(affwild_root(tmp_path, **{name: content}))
    kind = name.partition('_')[0]
    read = read_expressions if kind == 'EXPR' else read_valence_arousal
    with pytest.raises(ValueError, match=message) as error:
        read(root / 'annotations' / kind / 'v.txt')
    assert 'v.txt' in str(error.value)
