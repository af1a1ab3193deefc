"""Every config trains: two steps of each stage, validation, a checkpoint that scores the same."""

from __future__ import annotations

import argparse
import csv
import gc
import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook

from mart_mm.apis.browse import load_recognizer
from mart_mm.apis.run import build_runner, load_config
from mart_mm.apis.shrink import shrink
from mart_mm.planted.make import make
from mart_mm.utils.arguments import add_common_arguments
from tools.data.planted_features.make import make as make_features

ROOT = Path(__file__).resolve().parents[2]
LEAVES = sorted(
    path
    for path in (ROOT / 'configs').rglob('*.py')
    if '_base_' not in path.parts and '__pycache__' not in path.parts
)
#: which layout is planted for a data set
LAYOUTS = {
    'Ekman6': 'ekman6',
    'VideoEmotion8': 'video_emotion8',
    'PERR': 'perr',
    'IEMOCAP': 'iemocap',
    'AffWild2': 'affwild2',
}
SIX = dict(train=4, test=2, segments=3)


class DataSets:
    """Six planted records in each layout, planted when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def planted(self, layout: str) -> Path:
        return make(self.folder / layout, layout=layout, size=36, blemishes=False, **SIX)

    def use(self, cfg: Config) -> None:
        """Let a config's three splits read the planted records."""
        kinds = {cfg[f'{split}_dataloader'].dataset.type for split in ('train', 'val', 'test')}
        assert len(kinds) == 1
        kind = kinds.pop()
        is_features = cfg.model.data_preprocessor.type == 'FeatureDataPreprocessor'
        if kind in LAYOUTS:
            root = self.planted(LAYOUTS[kind])
        elif is_features:
            root = self.features()
            cfg.model.data_preprocessor.stats = str(root / 'feature_stats.npz')
        else:
            root = self.planted('ekman6')
        for split in ('train', 'val', 'test'):
            dataset = cfg[f'{split}_dataloader'].dataset
            dataset.data_root = str(root)
            if kind == 'ManifestDataset':
                dataset.ann_file = self.manifest(root, dataset.classes, is_features)

    def features(self) -> Path:
        root = self.folder / 'features'
        return root if root.exists() else make_features(root, **SIX)

    @staticmethod
    def manifest(root: Path, classes: list[str], is_features: bool) -> str:
        """The planted records with these classes, one after the other."""
        if is_features:
            with (root / 'manifest.csv').open(newline='') as source:
                rows = list(csv.DictReader(source))
        else:
            truth = json.loads((root / 'truth.json').read_text())
            rows = [
                dict(
                    video=f'videos/{stem}.mp4',
                    split=record['split'],
                    transcript=f'subtitles/{stem}.srt',
                )
                for stem, record in truth['videos'].items()
            ]
        path = root / f'{"-".join(classes)}.csv'
        with path.open('w', newline='') as target:
            writer = csv.DictWriter(target, list(dict.fromkeys(['label', *rows[0]])))
            writer.writeheader()
            for number, row in enumerate(rows):
                writer.writerow(row | dict(label=classes[number % len(classes)]))
        return path.name


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave out what takes MMEngine longer than the steps: it formats each config seven times, asks
    compilers for their versions, and looks through all objects of the process for each data set."""
    monkeypatch.setattr('mmengine.config.config.FormatCode', lambda text, **_: (text, True))
    monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope='session')
def data_sets(tmp_path_factory: pytest.TempPathFactory) -> DataSets:
    return DataSets(tmp_path_factory.mktemp('every_config'))


@pytest.fixture(scope='session')
def raft_weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of random weights for RAFT-small."""
    flow = pytest.importorskip('torchvision.models.optical_flow')
    path = tmp_path_factory.mktemp('raft') / 'raft_small.pth'
    torch.save(flow.raft_small().state_dict(), path)
    return str(path)


class Recorder(Hook):
    """Notes stage and losses of each step, and a copy of the weights where an epoch ends."""

    priority = 'VERY_LOW'

    def __init__(self) -> None:
        self.steps: list[tuple[str, dict[str, float]]] = []
        self.weights: list[dict[str, torch.Tensor]] = []

    def before_train(self, runner: object) -> None:
        self._keep(runner)

    def after_train_epoch(self, runner: object) -> None:
        self._keep(runner)

    def after_train_iter(
        self, runner: object, batch_idx: int, data_batch: object = None, outputs: object = None
    ) -> None:
        losses = {name: float(value.detach().sum()) for name, value in outputs.items()}
        self.steps.append((runner.model.stage.name, losses))

    def _keep(self, runner: object) -> None:
        backbone = runner.model.backbone
        self.weights.append({k: v.detach().clone() for k, v in backbone.named_parameters()})


def component_types(node: object, where: str = '') -> dict[str, str]:
    """Type of each component by its place."""
    found = {}
    if isinstance(node, dict):
        if 'type' in node:
            found[where] = str(node['type'])
        for key, value in node.items():
            found |= component_types(value, f'{where}.{key}')
    elif isinstance(node, (list, tuple)):
        for index, value in enumerate(node):
            found |= component_types(value, f'{where}[{index}]')
    return found


def read_config(path: Path, work_dir: Path, cache: Path) -> Config:
    """As the tools read it."""
    parser = argparse.ArgumentParser()
    add_common_arguments(parser)
    options = ['--work-dir', str(work_dir), '--cfg-options', f'cache.folder={cache}']
    return load_config(parser.parse_args([str(path), *options]))


def scores_of(file: Path) -> dict[str, list[float]]:
    return {v['video_id']: v['scores'] for v in json.loads(file.read_text())['videos']}


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: str(path.relative_to(ROOT / 'configs')))
def test_every_config_trains(
    path: Path, data_sets: DataSets, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    cfg = read_config(path, tmp_path, data_sets.folder / 'cache')
    before = component_types(cfg.to_dict())
    pretrain_epochs = sum(h.get('pretrain_epochs', 0) for h in cfg.custom_hooks)
    shrink(cfg)
    assert component_types(cfg.to_dict()) == before
    data_sets.use(cfg)
    if 'RAFTFlow' in before.values():
        flow = cfg.model.pretext.visual.importance.flow
        flow.weights = request.getfixturevalue('raft_weights')
    cfg.val_evaluator.dump = str(tmp_path / 'trained.json')

    runner, recorder = build_runner(cfg), Recorder()
    runner.register_hook(recorder, 'VERY_LOW')
    runner.train()
    stages = ['pretrain', 'finetune'] if pretrain_epochs else ['finetune']
    assert [name for name, _ in recorder.steps] == [name for name in stages for _ in range(2)]
    assert all(math.isfinite(x) for _, losses in recorder.steps for x in losses.values())
    for old, new in zip(recorder.weights, recorder.weights[1:], strict=False):
        assert any(not torch.equal(old[k], new[k]) for k in old)

    trained = scores_of(tmp_path / 'trained.json')
    assert len(trained) == 2
    again = load_recognizer(cfg, str(tmp_path / f'epoch_{len(stages)}.pth'))
    with torch.no_grad():
        reloaded = [x for batch in runner.test_dataloader for x in again.test_step(batch)]
    assert len(reloaded) == len(trained)
    for sample in reloaded:
        assert float(sample.pred_scores.sum()) == pytest.approx(1, abs=1e-4)
        assert sample.pred_scores.tolist() == pytest.approx(trained[sample.video_id], abs=1e-6)
    for file in tmp_path.glob('*.pth'):  # gigabytes in all
        file.unlink()
