"""Fixtures of whole training runs by the command line, on a planted data set of 18 videos."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mart_mm.planted.make import make

ROOT = Path(__file__).resolve().parents[1]

BASE = """
_base_ = ['{root}/configs/{base}.py']
"""
MODEL = """
model = dict(
    backbone=dict(
        visual=dict(embed_dims=16, depth=2, num_heads=2),
        audio=dict(embed_dims=16, depth=2, num_heads=2),
        fusion_layer=1,
    ),
    pretext=dict(
        visual=dict(decoder=dict(dims=16, depth=1, num_heads=2)),
        audio=dict(decoder=dict(dims=16, depth=1, num_heads=2)),
    ),
)
"""
#: two epochs of pretraining and two of finetuning, three steps each
SCHEDULE = """
train_dataloader = dict(
    batch_size=4, num_workers=0, persistent_workers=False, dataset=dict(data_root='{data}')
)
val_dataloader = dict(
    batch_size=4, num_workers=0, persistent_workers=False, dataset=dict(data_root='{data}')
)
test_dataloader = dict(
    batch_size=4, num_workers=0, persistent_workers=False, dataset=dict(data_root='{data}')
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, end=4, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=4, val_begin=4, val_interval=1)
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(interval=1, by_epoch=False, max_keep_ckpts=-1))
custom_hooks = [
    dict(type='StageSwitchHook', pretrain_epochs=2),
    dict(type='ProgressiveMaskHook'),
    dict(type='VerificationWarmupHook', warmup=0.1),
    dict(type='ReproducibilityHook'),
    dict(type='FailureReportHook', max_failed_share=0.2),
    dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.05, begin_epoch=3),
    dict(type='PlainCheckpointHook'),
]
"""


@pytest.fixture(scope='session')
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 training videos (one of them broken) and 6 for testing."""
    return make(tmp_path_factory.mktemp('planted') / 'data', train=12, test=6)


@pytest.fixture(scope='session')
def tiny_config(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two epochs of pretraining and two of finetuning, three steps each."""
    path = tmp_path_factory.mktemp('configs') / 'tiny.py'
    text = BASE + MODEL + SCHEDULE
    path.write_text(text.format(root=ROOT, data=planted, base='mart/mart_mbt_planted'))
    return path


class Runs:
    """Starts ``tools/train.py`` and reads what it leaves."""

    root = ROOT

    @staticmethod
    def command(config: Path, work_dir: Path, *options: str) -> list[str]:
        train = str(ROOT / 'tools' / 'train.py')
        return [sys.executable, train, str(config), '--work-dir', str(work_dir), *options]

    def run(self, config: Path, work_dir: Path, *options: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(config, work_dir, *options),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
        )

    @staticmethod
    def scalars(work_dir: Path) -> list[dict]:
        files = sorted(work_dir.glob('*/vis_data/scalars.json'))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.fixture(scope='session')
def runs() -> Runs:
    return Runs()
