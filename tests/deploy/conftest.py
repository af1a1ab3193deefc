"""A small recogniser of the planted configs, exported, and a video to run it on."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mart_mm.apis.frozen import RANDOM_INIT, frozen_recognizer, read_config
from mart_mm.deploy.onnx import export_onnx
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.utils.media_writer import write_video

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
_base_ = ['{root}/configs/supervised/mbt_planted.py']
model = dict(
    backbone=dict(
        visual=dict(embed_dims=16, depth=2, num_heads=2),
        audio=dict(embed_dims=16, depth=2, num_heads=2),
        fusion_layer=1,
    ),
)
cache = None
"""


class Exported(NamedTuple):
    """A model as PyTorch and as ONNX have it."""

    recognizer: AffectiveRecognizer
    cfg: Config
    config: Path
    checkpoint: Path
    model: Path


@pytest.fixture(scope='session')
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('deploy') / 'small.py'
    path.write_text(CONFIG.format(root=ROOT))
    return path


@pytest.fixture(scope='session')
def exported(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    for package in ('onnx', 'onnxscript', 'onnxruntime'):
        pytest.importorskip(package, reason="the extra 'onnx' is not installed")
    folder = tmp_path_factory.mktemp('exported')
    cfg = read_config(config)
    recognizer = frozen_recognizer(cfg, RANDOM_INIT).cpu()
    spread(recognizer)
    checkpoint = folder / 'epoch_1.pth'
    extra = {'pretext.decoder.weight': torch.ones(2)}
    torch.save(
        dict(state_dict=recognizer.state_dict() | extra, meta=dict(cfg=cfg.pretty_text)), checkpoint
    )
    model = export_onnx(config, checkpoint, folder / 'small.onnx')
    return Exported(recognizer, cfg, config, checkpoint, model)


def spread(recognizer: AffectiveRecognizer) -> None:
    """Draw classifiers so that videos differ; those of a new head say the same of all."""
    torch.manual_seed(1)
    for classifier in recognizer.head.classifiers.values():
        torch.nn.init.normal_(classifier.weight, std=1.0)


@pytest.fixture(scope='session')
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Videos of 5 s, 64 x 96, that change: with sound, without, of variable rate, with late sound."""
    folder = tmp_path_factory.mktemp('clips')
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (60, 8, 12, 3), dtype=np.uint8)
    frames = coarse.repeat(8, axis=1).repeat(8, axis=2)
    time = np.arange(5 * 16000) / 16000
    sound = (0.4 * np.sin(2 * np.pi * (200 + 150 * time) * time)).astype(np.float32)
    sound += 0.05 * rng.standard_normal(len(sound)).astype(np.float32)
    gaps = rng.choice([0.02, 0.08, 0.15], 59)
    times = np.concatenate([[0.0], gaps.cumsum()])
    files = {
        'sound': ('sound.mp4', dict(audio=sound)),
        'silent': ('silent.mp4', dict()),
        'variable': ('variable.mkv', dict(audio=sound, times=times.tolist())),
        'short_sound': ('short_sound.mp4', dict(audio=sound[: 2 * 16000])),
        'mpeg': ('mpeg.mpg', dict(codec='mpeg2video')),
    }
    paths = {}
    for name, (file, options) in files.items():
        paths[name] = folder / file
        fps = 25 if name == 'mpeg' else 12
        write_video(paths[name], frames, fps, **options)
    return paths
