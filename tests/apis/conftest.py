"""A planted data set and a small config for features of its videos."""

from __future__ import annotations

from pathlib import Path

import pytest

from mart_mm.planted.make import make

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
_base_ = ['{root}/configs/{base}.py']
model = dict(
    backbone=dict(
        visual=dict(embed_dims=16, depth=2, num_heads=2),
        audio=dict(embed_dims=16, depth=2, num_heads=2),
        fusion_layer=1,
    ),
)
train_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(data_root='{data}'))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(data_root='{data}'))
test_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(data_root='{data}'))
cache = None
"""


@pytest.fixture(scope='session')
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 training videos, one of them broken and one silent, and 6 for testing."""
    return make(tmp_path_factory.mktemp('planted') / 'data', train=12, test=6)


@pytest.fixture(scope='session')
def feature_config(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small MBT without pretext."""
    path = tmp_path_factory.mktemp('configs') / 'features.py'
    path.write_text(CONFIG.format(root=ROOT, base='supervised/mbt_planted', data=planted))
    return path


@pytest.fixture(scope='session')
def language_config(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with words."""
    path = tmp_path_factory.mktemp('configs') / 'language.py'
    base = 'mbt_language/mbt_language_planted'
    path.write_text(CONFIG.format(root=ROOT, base=base, data=planted))
    return path
