"""An exported recogniser computes what the recogniser predicts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mart_mm.apis.frozen import RANDOM_INIT, read_config
from mart_mm.deploy import onnx as deploy
from mart_mm.deploy.loading import load_recognizer
from mart_mm.deploy.metadata import ExportError
from mart_mm.deploy.onnx import RecognizerGraph, export_onnx
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.models.weights import WeightsError
from mart_mm.structures.affective_data_sample import AffectiveDataSample
from mart_mm.version import __version__

ROOT = Path(__file__).resolve().parents[2]


def predict(recognizer: AffectiveRecognizer, imgs, audios, has_audio) -> tuple:
    """Through the data preprocessor and :meth:`AffectiveRecognizer.predict`, as in testing."""
    present = dict(
        visual=torch.ones(len(imgs), dtype=torch.bool), audio=torch.from_numpy(has_audio)
    )
    inputs = dict(imgs=torch.from_numpy(imgs), audios=torch.from_numpy(audios), present=present)
    samples = [AffectiveDataSample() for _ in imgs]
    batch = recognizer.data_preprocessor(dict(inputs=inputs, data_samples=samples))
    samples = recognizer.predict(**batch)
    return (
        np.stack([sample.pred_scores.numpy() for sample in samples]),
        np.stack([sample.temporal_scores.numpy() for sample in samples]),
    )


def random_inputs(num_videos: int, num_segments: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(num_videos)
    shape = (num_videos, num_segments, 3, 4, 48, 48)
    imgs = rng.integers(0, 256, shape, dtype=np.uint8)
    audios = rng.normal(-4, 3, (num_videos, num_segments, 80, 128)).astype(np.float32)
    return imgs, audios


@pytest.mark.parametrize(
    ('num_segments', 'has_audio'),
    [(6, [True]), (1, [True, False]), (9, [False, True, True])],
)
def test_equal_to_predict_at_any_size(exported, num_segments, has_audio):
    from mart_mm_runtime.model import EmotionModel

    has_audio = np.array(has_audio)
    imgs, audios = random_inputs(len(has_audio), num_segments)
    scores, temporal = EmotionModel(exported.model, 1).predict(
        imgs, audios, audio_present=has_audio
    )
    wanted = predict(exported.recognizer, imgs, audios, has_audio)
    np.testing.assert_allclose(scores, wanted[0], rtol=0, atol=1e-4)
    np.testing.assert_allclose(temporal, wanted[1], rtol=0, atol=1e-4)
    assert np.ptp(scores, axis=1).max() > 0.05  # it has something to say


def test_what_a_silent_video_carries_as_sound_does_not_matter(exported):
    from mart_mm_runtime.model import EmotionModel

    model = EmotionModel(exported.model, 1)
    imgs, audios = random_inputs(1, 3)
    silent = np.array([False])
    first = model.predict(imgs, audios, audio_present=silent)
    second = model.predict(imgs, audios + 5, audio_present=silent)
    heard = model.predict(imgs, audios)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.abs(first[0] - heard[0]).max() > 1e-3


def test_the_file_says_all_that_is_needed(exported):
    import onnx

    model = onnx.load(str(exported.model))
    onnx.checker.check_model(model)
    (entry,) = [prop.value for prop in model.metadata_props if prop.key == 'mart_mm']
    content = json.loads(entry)
    digest = hashlib.sha256(exported.checkpoint.read_bytes()).hexdigest()
    assert content == dict(
        format=1,
        classes=['anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise'],
        polarity=[-1, -1, -1, 1, -1, 1],
        frames=dict(num_segments=6, clip_len=4, frame_interval=2, short_side=48, size=48),
        sound=dict(
            num_frames=80,
            num_mels=128,
            sample_rate=16000,
            window=400,
            shift=160,
            fft_length=512,
            preemphasis=0.97,
            low_hz=20.0,
            floor=2.0**-23,
        ),
        normalisation=dict(
            mean=pytest.approx([123.675, 116.28, 103.53]),
            std=pytest.approx([58.395, 57.12, 57.375]),
            audio_mean=-4.19,
            audio_divisor=2.68,
        ),
        has_fixed_segments=False,
        model=dict(name='small', checkpoint='epoch_1.pth', sha256=digest[:16], version=__version__),
    )
    shapes = {
        value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert shapes == dict(
        imgs=['batch', 'segments', 3, 4, 48, 48],
        audios=['batch', 'segments', 80, 128],
        visual_present=['batch'],
        audio_present=['batch'],
        pred_scores=['batch', 6],
        temporal_scores=['batch', 'segments', 6],
    )


def test_a_checkpoint_brings_its_config(exported):
    alone = load_recognizer(exported.checkpoint)
    for key, value in exported.recognizer.state_dict().items():
        assert torch.equal(alone.recognizer.state_dict()[key], value), key
    assert not alone.recognizer.training
    assert alone.facts['checkpoint'] == 'epoch_1.pth'


@pytest.mark.parametrize('config', ['vaanet/vaanet_planted', 'supervised/slowonly-r18_planted'])
def test_convolutional_streams(config, tmp_path):
    """Where PyTorch leaves absent sound out of the computation and the graph computes it in vain."""
    pytest.importorskip('onnxscript', reason="the extra 'onnx' is not installed")
    from mart_mm_runtime.errors import ModelError
    from mart_mm_runtime.model import EmotionModel

    path = ROOT / f'configs/{config}.py'
    model = EmotionModel(export_onnx(path, RANDOM_INIT, tmp_path / 'model.onnx'), 1)
    recognizer = load_recognizer(path, RANDOM_INIT).recognizer
    imgs, audios = random_inputs(3, 6)
    for has_audio in ([True, False, True], [False] * 3):
        has_audio = np.array(has_audio)
        wanted = predict(recognizer, imgs, audios, has_audio)
        found = model.predict(imgs, audios, audio_present=has_audio)
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-4)
    assert model.metadata.has_fixed_segments == ('vaanet' in config)
    if model.metadata.has_fixed_segments:
        with pytest.raises(ModelError, match='input .imgs. of shape'):
            model.predict(*random_inputs(1, 5))
        with pytest.raises(ModelError, match='num_segments=5'):
            model('any.mp4', 5)


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        ('mbt_language/mbt_language_planted', 'MBTWithLanguage classifies words'),
        ('features/supervised_features_planted', 'FeatureDataPreprocessor takes no frames'),
    ],
)
def test_models_of_other_inputs_are_refused(config, message):
    cfg = read_config(ROOT / f'configs/{config}.py')
    from mart_mm.apis.frozen import frozen_recognizer

    if 'features' in config:
        cfg.model.data_preprocessor.stats = None
    with pytest.raises(ExportError, match=message):
        RecognizerGraph(frozen_recognizer(cfg, RANDOM_INIT))


def test_refusals_name_the_remedy(exported, tmp_path, monkeypatch):
    out = tmp_path / 'model.onnx'
    with pytest.raises(ValueError, match='give a checkpoint as weights'):
        export_onnx(exported.config, None, out)
    with pytest.raises(FileNotFoundError, match='nowhere.pth'):
        export_onnx(exported.config, tmp_path / 'nowhere.pth', out)
    with pytest.raises(ExportError, match='opset=17: give 18 or later'):
        export_onnx(exported.config, exported.checkpoint, out, opset=17)
    content = torch.load(exported.checkpoint, weights_only=True)
    bare = tmp_path / 'bare.pth'
    torch.save(content['state_dict'], bare)
    with pytest.raises(WeightsError, match='holds no config'):
        export_onnx(bare, None, out)
    content['state_dict'].pop('head.classifiers.audio.bias')
    torch.save(content, bare)
    with pytest.raises(WeightsError, match=r"missing \['head.classifiers.audio.bias'\]"):
        export_onnx(exported.config, bare, out)
    other = tmp_path / 'other.py'
    other.write_text(
        f"_base_ = ['{exported.config}']\n"
        'test_dataloader = dict(dataset=dict(pipeline=[dict(type="LoadFeatures")]))\n'
    )
    with pytest.raises(ExportError, match='unknown steps: LoadFeatures'):
        export_onnx(other, exported.checkpoint, out)
    monkeypatch.setattr(deploy, 'largest_difference', lambda *_: 1.0)
    with pytest.raises(ExportError, match='differ by 1.0e'):
        export_onnx(exported.config, exported.checkpoint, out)
    assert not list(tmp_path.glob('*.onnx'))
