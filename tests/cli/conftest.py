"""A small planted data set and a config that reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mart_mm.planted.make import make

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
_base_ = ['{root}/configs/mart/mart_mbt_planted.py']
train_dataloader = dict(dataset=dict(data_root='{data}'))
val_dataloader = dict(dataset=dict(data_root='{data}'))
test_dataloader = dict(dataset=dict(data_root='{data}'))
{more}
"""
SMALL = dict(train=6, test=6, segments=3, size=36, blemishes=False)


@pytest.fixture(scope='session')
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of each class in both splits."""
    return make(tmp_path_factory.mktemp('planted') / 'data', **SMALL)


@pytest.fixture
def write_config(tmp_path: Path, planted: Path) -> Callable[..., Path]:
    """Writes a config of the data set, with lines of one's own at its end."""

    def write(more: str = '', data: Path = planted) -> Path:
        path = tmp_path / 'mine.py'
        path.write_text(CONFIG.format(root=ROOT, data=data, more=more))
        return path

    return write
