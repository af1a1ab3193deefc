"""From a pickle, or a manifest, of features to a config that trains."""

from __future__ import annotations

import csv
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from mart_mm.apis.import_features import import_features  # noqa: E402
from mart_mm.apis.run import check_keys  # noqa: E402
from mart_mm.datasets.media.feature_file import read_features  # noqa: E402
from mart_mm.lexicon.transcript import read_transcript  # noqa: E402
from mart_mm.registry import DATASETS, MODELS  # noqa: E402
from tools.data.import_features import main  # noqa: E402


def split(count: int, seed: int) -> dict:
    """Records as MMSA keeps unaligned ones, padded behind."""
    rng = np.random.default_rng(seed)
    lengths = {name: rng.integers(3, 9, count) for name in ('vision', 'audio')}
    features = {
        name: rng.standard_normal((count, 9, dims)).astype(np.float32)
        for name, dims in (('vision', 5), ('audio', 7))
    }
    for name, values in features.items():
        for index, length in enumerate(lengths[name]):
            values[index, length:] = 0
    numbers = rng.choice([-1.4, 0.0, 2.6], count)
    return features | dict(
        id=[f'video$_${index}/../x' for index in range(count)],
        raw_text=np.array([f'a happy  thing {index}' for index in range(count)], dtype=object),
        regression_labels=numbers,
        vision_lengths=lengths['vision'].tolist(),
        audio_lengths=lengths['audio'],
    )


@pytest.fixture
def content() -> dict:
    return dict(train=split(12, 0), valid=split(4, 1), test=split(5, 2))


def write(path: Path, content: object) -> Path:
    path.write_bytes(pickle.dumps(content))
    return path


def rows_of(folder: Path) -> list[dict]:
    with (folder / 'manifest.csv').open(newline='', encoding='utf-8') as file:
        return list(csv.DictReader(file))


def test_every_record_of_the_pickle_is_there(content: dict, tmp_path: Path) -> None:
    content['train']['vision'][3] = 0  # no face was found
    out = tmp_path / 'out'
    report = import_features(write(tmp_path / 'x.pkl', content), out)
    rows = rows_of(out)
    names = {-1: 'negative', 0: 'neutral', 1: 'positive'}
    place = 0
    for name, part in content.items():
        for index in range(len(part['id'])):
            row, place = rows[place], place + 1
            assert row['split'] == dict(valid='val').get(name, name)
            assert row['label'] == names[int(np.sign(part['regression_labels'][index]))]
            for key, column in (('vision', 'visual_features'), ('audio', 'audio_features')):
                if (name, index, key) == ('train', 3, 'vision'):
                    assert row[column] == ''
                    continue
                path = (out / row[column]).resolve()
                assert path.is_relative_to(out.resolve())  # whatever the id holds
                expected = part[key][index][: part[f'{key}_lengths'][index]]
                np.testing.assert_array_equal(read_features(path).values, expected)
            (line,) = read_transcript(out / row['transcript'])
            assert (line.start, line.end) == (0.0, float(row['end']))
            assert line.text == f'a happy thing {index}'
    assert place == len(rows) == 21
    assert report.lacking['visual'] == 1 and sum(report.counts['train'].values()) == 12


def test_layout_of_aligned_features(tmp_path: Path) -> None:
    """MulT's: ids with times, zero rows in front, labels (n, 1, 1)."""
    part = dict(
        vision=np.ones((3, 6, 2)),
        audio=np.ones((3, 6, 1)),
        labels=np.array([-2.0, 0.0, 0.5]).reshape(3, 1, 1),
        id=np.array([[b'abc', b'1.5', b'4.0'], [b'abc', b'4.0', b'9.25'], [b'd', b'x', b'y']]),
    )
    part['vision'][0, :4] = 0
    import_features(write(tmp_path / 'x.pkl', dict(train=part)), tmp_path)
    rows = rows_of(tmp_path)
    assert [row['end'] for row in rows] == ['2.5', '5.25', '60.0']
    assert [row['label'] for row in rows] == ['negative', 'neutral', 'positive']
    assert rows[0]['id'] == 'train/abc_1.5_4.0'
    assert read_features(tmp_path / rows[0]['visual_features']).values.shape == (2, 2)
    part['annotations'] = ['Joy', 'Anger', 'Joy']
    part['id'] = ['same', 'same', 'other']
    import_features(write(tmp_path / 'x.pkl', dict(train=part)), tmp_path)
    rows = rows_of(tmp_path)
    assert [row['label'] for row in rows] == ['joy', 'anger', 'joy']
    assert len({row['id'] for row in rows}) == 3


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(id=None), "x.pkl, train: no 'id'; it has"),
        (dict(vision=None, audio=None), 'neither vision nor audio'),
        (dict(regression_labels=None), 'neither annotations nor regression_labels nor labels'),
        (dict(regression_labels=np.zeros((12, 6))), r'shape \(12, 6\): one finite number'),
        (dict(id=['a']), '1 id for 12 labels'),
    ],
)
def test_other_layouts_are_named(content: dict, tmp_path: Path, change: dict, message: str) -> None:
    part = {key: value for key, value in (content['train'] | change).items() if value is not None}
    with pytest.raises(ValueError, match=message):
        import_features(write(tmp_path / 'x.pkl', dict(train=part)), tmp_path / 'out')
    with pytest.raises(ValueError, match='no splits'):
        import_features(write(tmp_path / 'x.pkl', dict(a=1)), tmp_path / 'out')


def test_values_that_are_not_finite_are_asked_about(content: dict, tmp_path: Path) -> None:
    content['train']['audio'][2, 0, :2] = -np.inf
    source = write(tmp_path / 'x.pkl', content)
    with pytest.raises(
        ValueError, match=r'audio of record 2 .* 2 of \d+ values .*--zero-nonfinite'
    ):
        import_features(source, tmp_path / 'out')
    report = import_features(source, tmp_path / 'out', zero_nonfinite=True)
    assert report.zeroed['audio'] == 2
    values = read_features(tmp_path / 'out' / rows_of(tmp_path / 'out')[2]['audio_features']).values
    assert values[0, :2].tolist() == [0, 0] and values[0, 2] != 0


@pytest.mark.parametrize('has_validation', [True, False])
def test_command_writes_a_config_that_builds(
    content: dict, tmp_path: Path, capsys: pytest.CaptureFixture, has_validation: bool
) -> None:
    if not has_validation:
        del content['valid'], content['test']
    out = tmp_path / 'out'
    assert main([str(write(tmp_path / 'x.pkl', content)), '--out', str(out)]) == 0
    assert 'next: python tools/train.py' in capsys.readouterr().out
    cfg = Config.fromfile(out / 'mart_features.py')
    check_keys(cfg)
    init_default_scope(cfg.default_scope)
    model = MODELS.build(cfg.model)
    model.init_weights()  # reads the statistics
    assert model.backbone.visual.in_dims == 5 and model.backbone.audio.in_dims == 7
    assert {target.head.out_features for target in model.pretext.branches['audio'].targets} == {
        7,
        3,
    }
    assert model.head.polarity.tolist() == [-1, 0, 1]
    data = DATASETS.build(cfg.train_dataloader.dataset)
    assert len(data) == 12 and data[0]['inputs']['imgs'].shape == (6, 8, 5)
    if not has_validation:
        assert cfg.val_dataloader is None and cfg.test_dataloader is None
        return
    assert len(DATASETS.build(cfg.val_dataloader.dataset)) == 4
    assert len(DATASETS.build(cfg.test_dataloader.dataset)) == 5
    base = ROOT / 'configs' / 'features' / 'supervised_features_manifest.py'
    assert main([str(out / 'manifest.csv'), '--out', str(out), '--base', str(base)]) == 0
    baseline = Config.fromfile(out / 'supervised_features.py')
    assert 'pretext' not in baseline.model
    assert baseline.model.backbone == cfg.model.backbone
    assert baseline.train_dataloader == cfg.train_dataloader


def test_manifest_of_own_files(
    content: dict, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """Files that cannot be used are named and the exit code says so; the config is written all the same."""
    out = tmp_path / 'out'
    import_features(write(tmp_path / 'x.pkl', content), out)
    rows = rows_of(out)
    (out / rows[0]['visual_features']).unlink()
    np.save(out / rows[1]['audio_features'], np.full((3, 7), np.nan))
    assert main([str(out / 'manifest.csv'), '--out', str(tmp_path / 'mine')]) == 1
    said = capsys.readouterr().out
    unusable = [line for line in said.splitlines() if line.startswith('cannot be used')]
    assert len(unusable) == 2
    assert rows[0]['visual_features'] in unusable[0] and 'does not exist' in unusable[0]
    assert rows[1]['audio_features'] in unusable[1] and 'not finite' in unusable[1]
    assert (tmp_path / 'mine' / 'mart_features.py').is_file()


def test_code_in_a_pickle_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    class Evil:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / 'owned'),)

    path = write(tmp_path / 'x.pkl', dict(train=Evil()))
    with pytest.raises(SystemExit) as error:
        main([str(path), '--out', str(tmp_path / 'out')])
    assert error.value.code == 2 and 'could run code' in capsys.readouterr().err
    assert not (tmp_path / 'owned').exists()
