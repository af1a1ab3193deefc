"""A folder like the one a reader works in: tools and configs, planted videos, a trained model."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from mart_mm.apis.run import load_config, train
from mart_mm.planted.make import make

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='session')
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Videos of the names that ``make demo`` plants, short and few."""
    out = tmp_path_factory.mktemp('reader') / 'planted'
    return make(out, train=12, test=6, segments=3, blemishes=False)


@pytest.fixture(scope='session')
def demo_out(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``make demo`` leaves, after an epoch of each stage."""
    out = tmp_path_factory.mktemp('demo') / 'demo_out'
    options = dict(work_dir=str(out / 'mart'), cfg_options=dict(cache=None), launcher='none')
    config = str(ROOT / 'configs' / 'mart' / 'mart_mbt_planted.py')
    cfg = load_config(argparse.Namespace(config=config, **options))
    for split in ('train', 'val', 'test'):
        loader = cfg[f'{split}_dataloader']
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.data_root = str(planted)
    cfg.train_cfg.update(max_epochs=2, val_begin=2)
    cfg.param_scheduler = []
    hooks = {hook.type: hook for hook in cfg.custom_hooks}
    hooks['StageSwitchHook'].pretrain_epochs = 1
    hooks['EMAHook'].begin_epoch = 2
    train(cfg)
    (out / 'mart' / 'epoch_2.pth').rename(out / 'mart' / 'epoch_30.pth')
    return out


@pytest.fixture(scope='session')
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packed lexicons and log-mel, for all pages."""
    return tmp_path_factory.mktemp('reader_cache')


@pytest.fixture
def reader(tmp_path: Path, planted: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The reader's folder, which is also the current one."""
    for name in ('configs', 'tools', 'runtime', 'README.md'):
        if (ROOT / name).exists():
            (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / 'data').mkdir()
    (tmp_path / 'data' / 'planted').symlink_to(planted)
    (tmp_path / 'data' / '.cache').symlink_to(cache)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    monkeypatch.setenv('MPLBACKEND', 'Agg')
    return tmp_path
