"""Planted features: what the truth says is in the files, and both configs learn it."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from mart_mm.apis.run import build_runner, load_config, train  # noqa: E402
from mart_mm.datasets.media.feature_file import FeatureSequence, read_features  # noqa: E402
from tools.data.planted_features.make import DIMS, make  # noqa: E402


@pytest.fixture(scope='module')
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """72 training records and 36 for testing."""
    return make(tmp_path_factory.mktemp('features') / 'data', train=72, test=36, seed=1)


@pytest.fixture(scope='module')
def truth(planted: Path) -> dict:
    """Their truth."""
    return json.loads((planted / 'truth.json').read_text())


@pytest.fixture(scope='module')
def rows(planted: Path) -> dict[str, dict]:
    """Rows of the manifest by id."""
    with (planted / 'manifest.csv').open(newline='') as file:
        return {row['id']: row for row in csv.DictReader(file)}


def sequence(planted: Path, row: dict, name: str, duration: float) -> FeatureSequence:
    """A record's features, with times in any case."""
    values, times = read_features(planted / row[f'{name}_features'])
    if times is None:
        times = (np.arange(len(values)) + 0.5) * duration / len(values)
    return FeatureSequence(values, times)


def test_manifest_files_and_truth_agree(planted: Path, truth: dict, rows: dict) -> None:
    assert rows.keys() == truth['videos'].keys()
    assert Counter(row['split'] for row in rows.values()) == dict(train=72, test=36)
    kinds, lengths = Counter(), {name: set() for name in DIMS}
    for video, row in rows.items():
        assert truth['classes'].index(row['label']) == truth['videos'][video]['emotion']
        absent = [name for name in DIMS if not row[f'{name}_features']]
        assert absent == [truth['missing'][video]] if video in truth['missing'] else absent == []
        assert bool(row['transcript']) == bool(truth['videos'][video]['words'])
        for name in set(DIMS) - set(absent):
            path = planted / row[f'{name}_features']
            kinds[path.suffix] += 1
            values, times = read_features(path)
            assert values.shape[1] == DIMS[name] and (times is None) == (path.suffix == '.npy')
            lengths[name].add(len(values))
    assert set(truth['missing'].values()) == set(DIMS)
    assert min(kinds[suffix] for suffix in ('.npy', '.npz', '.safetensors')) > 20
    assert min(map(len, lengths.values())) > 20


def test_statistics_are_those_of_all_training_vectors(planted: Path, rows: dict) -> None:
    stats = np.load(planted / 'feature_stats.npz')
    for name in DIMS:
        columns = [row[f'{name}_features'] for row in rows.values() if row['split'] == 'train']
        values = np.concatenate([read_features(planted / path).values for path in columns if path])
        np.testing.assert_allclose(stats[f'{name}_mean'], values.mean(0), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(stats[f'{name}_std'], values.std(0), rtol=1e-4)
        assert values.std(0).max() > 5 * values.std(0).min()  # there is something to normalise


@pytest.mark.parametrize('name', DIMS)
def test_classes_are_planted_where_the_truth_says(
    planted: Path, truth: dict, rows: dict, name: str
) -> None:
    """The nearest class mean of training vectors names test records, and only where it is planted."""
    stats = np.load(planted / 'feature_stats.npz')
    means = {'train': {True: {}, False: {}}, 'test': {True: {}, False: {}}}
    for video, row in rows.items():
        if not row[f'{name}_features']:
            continue
        said = truth['videos'][video]
        values, times = sequence(planted, row, name, said['duration'])
        values = (values - stats[f'{name}_mean']) / stats[f'{name}_std']
        degrees = np.array(said['degree']).max(1)
        segment = np.searchsorted([end for _, end in said['segments']], times, side='right')
        is_planted = degrees[segment] > 0
        if name == 'audio':
            spans = [span or (0, 0) for span in said['sound']]
            sounds = np.array([spans[s][0] <= t < spans[s][1] for s, t in zip(segment, times)])  # noqa: B905
            is_planted, is_free = is_planted & sounds, ~is_planted
        else:
            is_free = ~is_planted
        for key, chosen in ((True, is_planted), (False, is_free)):
            if chosen.any():
                means[row['split']][key].setdefault(said['emotion'], []).append(
                    values[chosen].mean(0)
                )
    hits = {}
    for key in (True, False):
        centres = np.stack([np.mean(means['train'][True][c], 0) for c in range(6)])
        found = [
            (label, int(((vector - centres) ** 2).sum(1).argmin()))
            for label, vectors in means['test'][key].items()
            for vector in vectors
        ]
        hits[key] = np.mean([label == guess for label, guess in found])
    assert hits[True] > 0.6 and hits[False] < 0.4


def test_a_seed_gives_the_same_files(planted: Path, tmp_path: Path) -> None:
    again = make(tmp_path / 'again', train=72, test=36, seed=1)
    for path in sorted(planted.rglob('*')):
        if path.is_file() and path.suffix != '.npz':  # archives hold the time
            assert path.read_bytes() == (again / path.relative_to(planted)).read_bytes(), path


class Arguments:
    """What a command line gives."""

    launcher, cfg_options = 'none', None

    def __init__(self, config: Path, work_dir: Path) -> None:
        self.config, self.work_dir = str(config), str(work_dir)


CONFIG = """
_base_ = ['{base}']
model = dict(data_preprocessor=dict(stats='{data}/feature_stats.npz'))
{loaders}
train_cfg = dict(max_epochs=6, val_begin=6, val_interval=1)
param_scheduler = None
custom_hooks = [
    dict(type='StageSwitchHook', pretrain_epochs={pretrain}),
    {progress}
    dict(type='ReproducibilityHook'),
    dict(type='FailureReportHook', max_failed_share=0.1),
    dict(type='PlainCheckpointHook'),
]
cache = dict(folder='{cache}', max_bytes=2**30)
"""
LOADER = """{split}_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(data_root='{data}')
)"""
PROGRESS = "dict(type='ProgressiveMaskHook'), dict(type='VerificationWarmupHook', warmup=0.1),"


@pytest.mark.parametrize('stem', ['mart', 'supervised'])
def test_both_configs_learn_what_is_planted(planted: Path, tmp_path: Path, stem: str) -> None:
    """A sixth is chance; the last checkpoint gives the same scores when it is loaded."""
    path, work = tmp_path / 'config.py', tmp_path / 'work'
    has_pretext = stem == 'mart'
    path.write_text(
        CONFIG.format(
            base=ROOT / 'configs' / 'features' / f'{stem}_features_planted.py',
            data=planted,
            cache=planted.parent / 'cache',
            loaders='\n'.join(
                LOADER.format(split=split, data=planted) for split in ('train', 'val', 'test')
            ),
            pretrain=4 if has_pretext else 0,
            progress=PROGRESS if has_pretext else '',
        )
    )
    train(load_config(Arguments(path, work)))
    lines = [
        json.loads(line)
        for file in work.glob('*/vis_data/scalars.json')
        for line in file.read_text().splitlines()
    ]
    names = {name for line in lines for name in line}
    assert 'loss_cls_visual' in names and ('loss_patch_audio' in names) == has_pretext
    (scored,) = [line for line in lines if 'affect/emotion_acc' in line]
    assert scored['affect/emotion_acc'] > 40 and scored['affect/sentiment_acc'] > 60
    assert scored['affect/skipped'] == 0

    (planted / 'feature_stats.npz').rename(planted / 'hidden.npz')
    try:  # a checkpoint brings the statistics with it
        again = load_config(Arguments(path, tmp_path / 'test'))
        again.load_from = str(work / 'epoch_6.pth')
        found = build_runner(again).test()
    finally:
        (planted / 'hidden.npz').rename(planted / 'feature_stats.npz')
    assert found['affect/emotion_acc'] == pytest.approx(scored['affect/emotion_acc'])
