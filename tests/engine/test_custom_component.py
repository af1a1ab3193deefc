"""A component of one's own: one file outside the package, and its name in a config."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mart_mm.apis.run import load_config, train
from mart_mm.apis.shrink import CLIP, PICTURE, SEGMENTS, shrink
from mart_mm.planted.make import make
from mart_mm.registry import MODELS
from mart_mm.utils.arguments import add_common_arguments

ROOT = Path(__file__).resolve().parents[2]
MASKER = """
import torch

from mart_mm.models.maskers.base import Masker, grid_size
from mart_mm.registry import MODELS


@MODELS.register_module()
class EveryOtherMasker(Masker):
    \"\"\"Hide every other token.\"\"\"

    grids = []

    def __init__(self, *, first=0):
        super().__init__()
        self.first = first

    def forward(self, scores, grid, progress, *, batch_size, device='cpu', generator=None):
        self.grids.append((grid, batch_size))
        is_masked = torch.arange(grid_size(grid), device=device) % 2 == self.first
        return is_masked.expand(batch_size, -1)
"""
CONFIG = """
_base_ = ['{base}']
custom_imports = dict(imports=['my_own_masker'])
model = dict(pretext=dict(visual=dict(masker=dict(_delete_=True, type='EveryOtherMasker', first=1))))
train_dataloader = dict(dataset=dict(data_root='{data}'))
val_dataloader = dict(dataset=dict(data_root='{data}'))
test_dataloader = dict(dataset=dict(data_root='{data}'))
"""


@pytest.fixture
def _own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / 'my_own_masker.py').write_text(MASKER)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop('my_own_masker', None)
    MODELS.module_dict.pop('EveryOtherMasker', None)


@pytest.mark.usefixtures('_own_file')
def test_own_masker_trains(tmp_path: Path) -> None:
    data = make(tmp_path / 'data', train=4, test=2, segments=3, blemishes=False)
    path = tmp_path / 'mine.py'
    path.write_text(
        CONFIG.format(base=ROOT / 'configs' / 'mart' / 'mart_mbt_planted.py', data=data)
    )
    assert 'EveryOtherMasker' not in MODELS
    parser = argparse.ArgumentParser()
    add_common_arguments(parser)
    options = ['--work-dir', str(tmp_path / 'work'), '--cfg-options', 'cache=None']
    cfg = load_config(parser.parse_args([str(path), *options]))
    shrink(cfg)
    runner = train(cfg)

    masker = runner.model.pretext.branches['visual'].masker
    assert type(masker).__module__ == 'my_own_masker' and masker.first == 1
    # asked once in each of the two steps, for all segments of two videos
    grid = (CLIP // 2, PICTURE // 8, PICTURE // 8)
    assert masker.grids == [(grid, 2 * SEGMENTS)] * 2
    file = next((tmp_path / 'work').glob('*/vis_data/scalars.json'))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    recovered = [line['loss_patch_visual'] for line in lines if 'loss_patch_visual' in line]
    assert recovered and all(0 < value < math.inf for value in recovered)
