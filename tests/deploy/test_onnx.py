"""An exported recogniser computes what the recogniser predicts."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mart_mm.deploy import onnx as deploy
from mart_mm.deploy.metadata import ExportError, describe
from mart_mm.deploy.onnx import RecognizerGraph, export_onnx, write_onnx
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.models.weights import WeightsError
from mart_mm.structures.affective_data_sample import AffectiveDataSample
from mart_mm.version import __version__


def predict(recognizer: AffectiveRecognizer, imgs, audios, has_audio) -> tuple:
    """Through the data preprocessor and :meth:`AffectiveRecognizer.predict`, as in testing."""
    present = dict(
        visual=torch.ones(len(imgs), dtype=torch.bool), audio=torch.from_numpy(has_audio)
    )
    inputs = dict(imgs=torch.from_numpy(imgs), audios=torch.from_numpy(audios), present=present)
    samples = [AffectiveDataSample() for _ in imgs]
    recognizer.data_preprocessor.encode_cues = False
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
    scores, temporal = EmotionModel(exported.model, num_threads=1).predict(
        imgs, audios, audio_present=has_audio
    )
    wanted = predict(exported.inferencer.model, imgs, audios, has_audio)
    np.testing.assert_allclose(scores, wanted[0], rtol=0, atol=1e-4)
    np.testing.assert_allclose(temporal, wanted[1], rtol=0, atol=1e-4)
    assert np.ptp(scores, axis=1).max() > 0.05  # it has something to say


def test_what_a_silent_video_carries_as_sound_does_not_matter(exported):
    from mart_mm_runtime.model import EmotionModel

    model = EmotionModel(exported.model, num_threads=1)
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
        segment_seconds=0.8,
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
            floor=1.192092955078125e-07,
        ),
        normalisation=dict(
            mean=pytest.approx([123.675, 116.28, 103.53]),
            std=pytest.approx([58.395, 57.12, 57.375]),
            audio_mean=-4.19,
            audio_divisor=2.68,
        ),
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


@pytest.mark.parametrize('config', ['vaanet/vaanet_planted', 'supervised/slowonly-r18_planted'])
def test_convolutional_streams(helpers, config, tmp_path):
    """Where PyTorch leaves absent sound out of the computation and the graph computes it in vain."""
    pytest.importorskip('onnxscript', reason="the extra 'onnx' is not installed")
    from mart_mm_runtime.errors import ModelError
    from mart_mm_runtime.model import EmotionModel

    cfg = helpers.read_config(config)
    recognizer = helpers.build(cfg)
    metadata = describe(recognizer, helpers.card_of(cfg, 'convolutions'), 0.8, {})
    model = EmotionModel(write_onnx(recognizer, metadata, tmp_path / 'model.onnx'))
    imgs, audios = random_inputs(3, 6)
    for has_audio in ([True, False, True], [False] * 3):
        has_audio = np.array(has_audio)
        wanted = predict(recognizer, imgs, audios, has_audio)
        found = model.predict(imgs, audios, audio_present=has_audio)
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-4)
    if 'vaanet' in config:  # its head has weights for six segments
        with pytest.raises(ModelError, match=r"input 'imgs' of shape \(1, 5, 3, 4, 48, 48\)"):
            model.predict(*random_inputs(1, 5))
    else:
        assert model.predict(*random_inputs(1, 5))[1].shape == (1, 5, 6)


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        ('mbt_language/mbt_language_planted', 'MBTWithLanguage classifies words'),
        ('features/supervised_features_planted', 'FeatureDataPreprocessor takes no frames'),
    ],
)
def test_models_of_other_inputs_are_refused(helpers, config, message):
    with pytest.raises(ExportError, match=message):
        RecognizerGraph(helpers.build(helpers.read_config(config)))


def test_pipelines_that_the_runtime_does_not_know_are_refused(helpers):
    cfg = helpers.read_config('supervised/mbt_planted')
    card, recognizer = helpers.card_of(cfg, 'small'), helpers.build(cfg)
    flipped = replace(card, pipeline=[*card.pipeline, dict(type='mart_mm.FlipFrames')])
    with pytest.raises(ExportError, match='small, its test pipeline: .* unknown steps: FlipFrames'):
        describe(recognizer, flipped, 0.8, {})
    with pytest.raises(ExportError, match='CropFrames is missing'):
        steps = [step for step in card.pipeline if step['type'] != 'CropFrames']
        describe(recognizer, replace(card, pipeline=steps), 0.8, {})
    with pytest.raises(ExportError, match='SampleSegments.random must be False'):
        steps = [dict(card.pipeline[0], random=True), *card.pipeline[1:]]
        describe(recognizer, replace(card, pipeline=steps), 0.8, {})


def test_refusals_name_the_remedy(exported, tmp_path, monkeypatch):
    out = tmp_path / 'model.onnx'
    with pytest.raises(FileNotFoundError, match='nowhere.pth'):
        export_onnx(tmp_path / 'nowhere.pth', None, out)
    with pytest.raises(ExportError, match='opset=17: give 18 or later'):
        export_onnx(exported.checkpoint, None, out, opset=17)
    content = torch.load(exported.checkpoint, weights_only=True)
    content['state_dict'].pop('head.classifiers.audio.bias')
    torch.save(content, tmp_path / 'cut.pth')
    with pytest.raises(
        WeightsError, match=r"missing in the file \['head.classifiers.audio.bias'\]"
    ):
        export_onnx(tmp_path / 'cut.pth', None, out)
    monkeypatch.setattr(deploy, '_capture', lambda *_: Written())
    monkeypatch.setattr(deploy, 'largest_difference', lambda *_: 1.0)
    with pytest.raises(ExportError, match=r'differ by 1.0e\+00'):
        export_onnx(exported.checkpoint, None, out)
    assert not list(tmp_path.glob('*onnx*'))


class Written:
    """Stands for an exported program that computes something else."""

    model = SimpleNamespace(metadata_props={})

    def save(self, path: str, external_data: bool) -> None:
        Path(path).write_bytes(b'')


class Branching(torch.nn.Module):
    """Asks for the value of a tensor, as a component from elsewhere may."""

    recognizer = SimpleNamespace(backbone=torch.nn.Identity(), head=torch.nn.Linear(1, 1))

    def forward(self, imgs, audios, visual_present, audio_present):
        return (audios, imgs) if bool(audio_present.any()) else (imgs, audios)


def test_what_cannot_be_captured_is_named():
    pytest.importorskip('onnxscript', reason="the extra 'onnx' is not installed")
    inputs = dict(imgs=torch.ones(2, 3), audios=torch.ones(2, 3))
    inputs |= dict(visual_present=torch.ones(2) > 0, audio_present=torch.ones(2) > 0)
    with pytest.raises(ExportError, match='Identity with Linear cannot be exported .*MBT with'):
        deploy._capture(Branching(), inputs, False, 18)
