"""Small configs: what is left of the sizes, and a run of them from the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mart_mm.apis.shrink import RECORDS, shrink
from mart_mm.planted.make import make
from mart_mm.registry import MODELS
from tools import train

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


@pytest.mark.parametrize(
    'name',
    ['mart/mart_mbt_ekman6', 'vaanet/mart_vaanet_ekman6', 'mart/backbones/mart_tsm-r50_planted'],
)
def test_model_and_pipeline_agree(name: str) -> None:
    cfg = Config.fromfile(CONFIGS / f'{name}.py')
    init_default_scope(cfg.default_scope)
    shrink(cfg)
    model = MODELS.build(cfg.model)
    steps = {step.type: step for step in cfg.train_dataloader.dataset.pipeline}
    sampler, crop, sound = (steps[name] for name in ('SampleSegments', 'CropFrames', 'LoadLogMel'))
    streams = model.backbone.streams
    assert streams['visual'].input_shape == (sampler.clip_len, crop.size, crop.size)
    assert streams['audio'].input_shape == (128, sound.num_frames)
    assert sampler.size == crop.size
    sizes = [p.numel() for p in model.parameters()]
    assert sum(sizes) < (12e6 if 'tsm' in name else 2e6)  # TSM has no option for its width


def test_weights_of_others_are_left_out() -> None:
    cfg = Config.fromfile(CONFIGS / 'mart' / 'mart_mbt_ekman6_pretrained.py')
    assert cfg.model.backbone.visual.pretrained
    shrink(cfg)
    assert cfg.model.backbone.visual.pretrained is None

    cfg = Config.fromfile(CONFIGS / 'mart' / 'mart_mbt_ekman6_finetune.py')
    assert cfg.load_from
    shrink(cfg)
    assert cfg.load_from is None


def test_smoke_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = make(tmp_path / 'data', train=7, test=3, segments=3, blemishes=False)
    splits = [f'{split}_dataloader.dataset.data_root={data}' for split in RECORDS]
    config = str(CONFIGS / 'mart' / 'mart_mbt_ekman6.py')
    arguments = ['train.py', config, '--smoke', '--work-dir', str(tmp_path / 'work')]
    monkeypatch.setattr(sys, 'argv', [*arguments, '--cfg-options', 'cache=None', *splits])
    train.main()
    checkpoint = torch.load(tmp_path / 'work' / 'epoch_2.pth', weights_only=True)
    assert checkpoint['meta']['iter'] == 4
    assert (tmp_path / 'work' / 'pretrained.pth').exists()


def test_defaults_of_classes_stay() -> None:
    """Sizes that a config leaves to a default are set in the config, not in the class."""
    cfg = Config.fromfile(CONFIGS / 'vaanet' / 'mart_vaanet_ekman6.py')
    encoder = cfg.model.backbone.visual.encoder
    assert 'base_channels' not in encoder
    full = dict(encoder)
    init_default_scope(cfg.default_scope)
    shrink(cfg)
    assert encoder.base_channels < MODELS.build(full | dict(depth=18)).conv1.out_channels == 64
