"""A tiny MART on planted data as a checkpoint, and videos of one and of several windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mart_mm.apis.splits import build_split
from mart_mm.engine.describe_run import describe
from mart_mm.registry import MODELS
from mart_mm.utils.media_writer import write_video

ROOT = Path(__file__).resolve().parents[3]
FPS, RATE = 8, 16000
CONFIG = """
_base_ = ['{root}/configs/{base}.py']
model = dict(
    backbone=dict(
        visual=dict(embed_dims=16, depth=2, num_heads=2, pretrained='absent.pth'),
        audio=dict(embed_dims=16, depth=2, num_heads=2),
        fusion_layer=1,
    ),
)
train_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(data_root='{data}'))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(data_root='{data}'))
test_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(data_root='{data}'))
cache = None
"""
SAID = """1
00:00:00,500 --> 00:00:02,500
What a joyful and wonderful day

2
00:00:05,200 --> 00:00:07,400
They were afraid of the angry crowd

3
00:00:09,000 --> 00:00:11,000
A sad and disgusting end
"""


def write_config(folder: Path, planted: Path, base: str) -> Path:
    path = folder / f'{Path(base).stem}_tiny.py'
    path.write_text(CONFIG.format(root=ROOT, base=base, data=planted))
    return path


def save_checkpoint(config: Path, target: Path) -> Path:
    """A checkpoint as training writes it, of random weights that differ from class to class."""
    cfg = Config.fromfile(config)
    init_default_scope('mart_mm')
    torch.manual_seed(3)
    recognizer = MODELS.build(cfg.model)
    with torch.no_grad():
        for parameter in recognizer.head.parameters():
            parameter.mul_(40)
    card = describe(cfg, build_split(cfg, 'train'))
    meta = dict(inference=card.to_dict(), dataset_meta=dict(classes=card.classes))
    torch.save(dict(meta=meta, state_dict=recognizer.state_dict()), target)
    return target


@pytest.fixture(scope='session')
def mart_config(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_config(tmp_path_factory.mktemp('config'), planted, 'mart/mart_mbt_planted')


@pytest.fixture(scope='session')
def checkpoint(mart_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_checkpoint(mart_config, tmp_path_factory.mktemp('weights') / 'mart.pth')


@pytest.fixture(scope='session')
def supervised(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint without pretext."""
    folder = tmp_path_factory.mktemp('supervised')
    config = write_config(folder, planted, 'supervised/mbt_planted')
    return save_checkpoint(config, folder / 'mbt.pth')


def draw(seconds: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pictures that drift from colour to colour, and a tone that rises."""
    rng = np.random.default_rng(seed)
    count = round(seconds * FPS)
    colours = rng.integers(0, 256, (count // FPS + 2, 6, 8, 3)).repeat(8, 1).repeat(8, 2)
    frames = np.stack([colours[i // FPS] for i in range(count)]).astype(np.uint8)
    time = np.arange(round(seconds * RATE)) / RATE
    sound = 0.2 * np.sin(2 * np.pi * (200 * time + 60 * time**2))
    return frames, (sound + rng.normal(0, 0.02, len(time))).astype(np.float32)


@pytest.fixture(scope='session')
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``two.mp4`` (12 s, two windows, subtitles), ``one.mp4`` (6 s), ``bare.mp4`` and ``broken.mp4``."""
    folder = tmp_path_factory.mktemp('videos')
    frames, sound = draw(12)
    write_video(folder / 'two.mp4', frames, FPS, sound, crf=4)
    (folder / 'two.srt').write_text(SAID)
    write_video(folder / 'one.mp4', frames[: 6 * FPS], FPS, sound[: 6 * RATE], crf=4)
    write_video(folder / 'bare.mp4', frames, FPS, crf=4)
    (folder / 'broken.mp4').write_bytes(b'no video')
    return folder
