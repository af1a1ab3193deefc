"""A small recogniser of the planted configs, exported, and a video to run it on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mart_mm.apis.inferencer import MARTInferencer
from mart_mm.deploy.onnx import export_onnx
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.registry import MODELS
from mart_mm.structures.inference_card import InferenceCard
from mart_mm.utils.media_writer import write_video

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ['anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise']
POLARITY = [-1, -1, -1, 1, -1, 1]
SMALL = dict(embed_dims=16, depth=2, num_heads=2)


def read_config(name: str) -> Config:
    init_default_scope('mart_mm')
    return Config.fromfile(ROOT / f'configs/{name}.py')


def card_of(cfg: Config, name: str) -> InferenceCard:
    return InferenceCard(
        name=name,
        model=cfg.to_dict()['model'],
        pipeline=cfg.to_dict()['test_dataloader']['dataset']['pipeline'],
        classes=CLASSES,
        polarity=POLARITY,
        mood_table={},
        segment_seconds=0.8,
        version='0',
    )


def build(cfg: Config) -> AffectiveRecognizer:
    """With random weights that say something else of each video."""
    torch.manual_seed(1)
    recognizer = MODELS.build(cfg.model).eval()
    for classifier in recognizer.head.modules():
        if isinstance(classifier, torch.nn.Linear):
            torch.nn.init.normal_(classifier.weight, std=0.5)
    return recognizer


class Exported(NamedTuple):
    """A model as PyTorch and as ONNX have it."""

    inferencer: MARTInferencer
    checkpoint: Path
    model: Path


@pytest.fixture(scope='session')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cfg = read_config('supervised/mbt_planted')
    cfg.merge_from_dict(dict(model=dict(backbone=dict(visual=SMALL, audio=SMALL, fusion_layer=1))))
    state = build(cfg).state_dict() | {'pretext.decoder.weight': torch.ones(2)}
    path = tmp_path_factory.mktemp('deploy') / 'epoch_1.pth'
    torch.save(dict(state_dict=state, meta=dict(inference=card_of(cfg, 'small').to_dict())), path)
    return path


@pytest.fixture(scope='session')
def exported(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    for package in ('onnx', 'onnxscript', 'onnxruntime'):
        pytest.importorskip(package, reason="the extra 'onnx' is not installed")
    model = export_onnx(checkpoint, None, tmp_path_factory.mktemp('exported') / 'small.onnx')
    inferencer = MARTInferencer(checkpoint, device='cpu', show_progress=False)
    return Exported(inferencer, checkpoint, model)


@pytest.fixture
def helpers() -> object:
    """The functions of this file, for tests that cannot import it."""
    return SimpleNamespace(
        build=build, card_of=card_of, read_config=read_config, classes=CLASSES, polarity=POLARITY
    )


@pytest.fixture(scope='session')
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Videos of 64 x 96 that change, of 5 s but for the long one, with sound and without."""
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
        'long': ('long.mp4', dict(audio=sound.repeat(3))),
        'mpeg': ('mpeg.mpg', dict(codec='mpeg2video')),
    }
    paths = {}
    for name, (file, options) in files.items():
        paths[name] = folder / file
        fps = dict(mpeg=25, long=4.5).get(name, 12)
        write_video(paths[name], frames, fps, **options)
    return paths
