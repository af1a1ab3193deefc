"""Each data set's small child trains and tests from its own layout."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from mmengine.config import Config

from mart_mm.apis.rescore import rescore
from mart_mm.apis.run import build_runner, load_config, train
from mart_mm.planted.make import make
from mart_mm.utils.arguments import add_common_arguments

ROOT = Path(__file__).resolve().parents[2]
CHILDREN = {
    'video_emotion8': 've8_planted',
    'perr': 'perr_planted',
    'iemocap': 'iemocap_planted',
    'affwild2': 'affwild2_planted',
    'ekman6': 'planted',
}
#: where the words come from, if not from a file beside the video
SOURCES = {'iemocap': 'annotation'}
CONFIG = """
_base_ = ['{base}']
train_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(data_root='{data}'))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(data_root='{data}'))
test_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(data_root='{data}'))
train_cfg = dict(max_epochs={epochs}, val_begin={epochs}, val_interval=1)
param_scheduler = None
default_hooks = dict(logger=dict(interval=1))
custom_hooks = [
    dict(type='StageSwitchHook', pretrain_epochs={pretrain}),
    {progress}
    dict(type='ReproducibilityHook'),
    dict(type='FailureReportHook', max_failed_share=0.3),
    dict(type='PlainCheckpointHook'),
]
cache = dict(folder='{cache}', max_bytes=2**30)
"""
PROGRESS = "dict(type='ProgressiveMaskHook'), dict(type='VerificationWarmupHook', warmup=0.1),"


def config(path: Path, work_dir: Path, *options: str) -> Config:
    """As the tools read it."""
    parser = argparse.ArgumentParser()
    add_common_arguments(parser)
    options = ['--cfg-options', *options] if options else []
    return load_config(parser.parse_args([str(path), '--work-dir', str(work_dir), *options]))


@pytest.fixture(scope='module')
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lexicon is packed once for all."""
    return tmp_path_factory.mktemp('cache')


@pytest.mark.parametrize('layout', CHILDREN)
def test_children_train_and_test(layout: str, tmp_path: Path, cache: Path) -> None:
    """One epoch of each stage of MART, one of the baseline, then the checkpoint's own scores."""
    data = make(tmp_path / 'data', layout=layout, train=12, test=6)
    for folder, stem, stages in (('mart', 'mart_mbt', (1, 1)), ('supervised', 'mbt', (0, 1))):
        work, path = tmp_path / folder, tmp_path / f'{layout}_{folder}.py'
        path.write_text(
            CONFIG.format(
                base=ROOT / 'configs' / folder / f'{stem}_{CHILDREN[layout]}.py',
                data=data,
                epochs=sum(stages),
                pretrain=stages[0],
                progress=PROGRESS if stages[0] else '',
                cache=cache,
            )
        )
        train(config(path, work))
        lines = [
            json.loads(line)
            for file in work.glob('*/vis_data/scalars.json')
            for line in file.read_text().splitlines()
        ]
        losses = {name for line in lines for name in line if name.startswith('loss')}
        assert {'loss_cls_visual', 'loss_cls_audio'} <= losses
        assert ('loss_kl_visual' in losses) == (folder == 'mart')

        checkpoint = work / f'epoch_{sum(stages)}.pth'
        again = config(path, tmp_path / f'{folder}_test', f'test_evaluator.dump={work / "scores"}')
        again.load_from = str(checkpoint)
        runner = build_runner(again)
        found = runner.test()
        scored = rescore(
            Config(dict(test_evaluator=dict(type='EmotionMetric'))), work / 'scores.json'
        )
        assert scored == pytest.approx(found, rel=0, abs=0, nan_ok=True)
        samples = [runner.test_dataloader.dataset[index]['data_samples'] for index in range(6)]
        # one of them has no words
        sources = [sample.transcript_source for sample in samples if sample.transcript_source]
        assert len(sources) >= 4 and set(sources) == {SOURCES.get(layout, 'sidecar')}
        assert all(('gt_distribution' in s) == (layout == 'affwild2') for s in samples)
        scores = json.loads((work / 'scores.json').read_text())
        assert len(scores['videos']) == 6  # records of the layout
        assert all(len(v['scores']) == len(scores['classes']) for v in scores['videos'])
        trained = [line for line in lines if 'affect/emotion_acc' in line][-1]
        assert found['affect/emotion_acc'] == pytest.approx(trained['affect/emotion_acc'])
