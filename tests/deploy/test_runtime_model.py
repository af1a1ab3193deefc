"""From a video file to a report, without what the model was trained with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mart_mm.models.affective.lexicon_verifier import LexiconVerifier
from mart_mm.registry import TRANSFORMS
from mart_mm.structures.affective_data_sample import AffectiveDataSample
from mart_mm.structures.emotion_report import EmotionReport

ROOT = Path(__file__).resolve().parents[2]
#: refuses what the runtime must do without, as if it were not installed
WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {absent}:
            raise ModuleNotFoundError(f'{{name}} is absent', name=name)

sys.meta_path.insert(0, Absent())
"""
ABSENT = ('torch', 'mmengine', 'mart_mm', 'cv2', 'transformers', 'onnx', 'onnxscript')


def package_prediction(exported, path: Path) -> AffectiveDataSample:
    """By the steps of the config's own test pipeline and the recogniser in PyTorch."""
    results = dict(video_path=str(path), rng=np.random.default_rng(0))
    for step in exported.cfg.test_dataloader.dataset.pipeline:
        if step['type'] in ('SampleSegments', 'LoadFrames', 'CropFrames', 'LoadLogMel'):
            results = TRANSFORMS.build(dict(step))(results)
    frames = torch.from_numpy(results['imgs']).permute(0, 4, 1, 2, 3)[None]
    present = dict(visual=torch.tensor([True]), audio=torch.tensor([bool(results['has_audio'])]))
    inputs = dict(imgs=frames, audios=torch.from_numpy(results['audios'])[None], present=present)
    sample = AffectiveDataSample(segment_times=torch.from_numpy(results['segment_times']))
    batch = exported.recognizer.data_preprocessor(dict(inputs=inputs, data_samples=[sample]))
    return exported.recognizer.predict(**batch)[0]


@pytest.mark.parametrize('name', ['sound', 'silent', 'variable', 'short_sound'])
def test_report_equals_the_prediction_in_pytorch(exported, clips, name):
    from mart_mm_runtime.model import EmotionModel

    content = EmotionModel(exported.model, 1)(clips[name])
    report = EmotionReport.from_dict(json.loads(json.dumps(content)))
    assert report.to_dict() == content
    wanted = package_prediction(exported, clips[name])
    classes = report.classes
    np.testing.assert_allclose(report.scores, wanted.pred_scores, rtol=0, atol=1e-4)
    assert report.emotion == classes[wanted.pred_emotion]
    assert report.sentiment == wanted.pred_sentiment
    assert len(report.segments) == 6
    found = torch.tensor([part.distribution for part in report.segments])
    torch.testing.assert_close(found, wanted.temporal_scores, rtol=0, atol=1e-4)
    sentiments = LexiconVerifier.sentiment(found[None], exported.recognizer.head.polarity)[0]
    strongest = found.max()
    for index, part in enumerate(report.segments):
        assert (part.start, part.end) == pytest.approx(wanted.segment_times[index].tolist())
        assert part.emotion == classes[int(found[index].argmax())]
        assert part.sentiment == int(sentiments[index])
        assert part.degree == pytest.approx(float(found[index].max() / strongest))
    assert report.video == clips[name].name
    assert report.duration == pytest.approx(report.segments[-1].end)
    assert report.has_sound == (name != 'silent')
    assert report.words == [] and report.transcript_source is None
    assert 'words were not looked for' in report.warnings[-1]
    assert (len(report.warnings) == 2) == (name == 'silent')
    assert report.model['checkpoint'] == 'epoch_1.pth'


def test_other_numbers_of_segments(exported, clips):
    from mart_mm_runtime.errors import ModelError
    from mart_mm_runtime.model import EmotionModel

    model = EmotionModel(exported.model, 1)
    report = model(clips['sound'], 3)
    assert [part['start'] for part in report['segments']] == pytest.approx(
        [report['duration'] * index / 3 for index in range(3)]
    )
    with pytest.raises(ModelError, match='num_segments=0'):
        model(clips['sound'], 0)


def run(code: str, *arguments: object) -> subprocess.CompletedProcess:
    environment = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    return subprocess.run(
        [sys.executable, '-c', WITHOUT.format(absent=ABSENT) + code, *map(str, arguments)],
        cwd=ROOT / 'runtime',
        env=environment | {'PYTHONPATH': str(ROOT / 'runtime')},
        capture_output=True,
        text=True,
    )


def test_command_needs_neither_torch_nor_mmengine_nor_the_package(exported, clips, tmp_path):
    from mart_mm_runtime.model import EmotionModel

    code = 'from mart_mm_runtime.command import main\nsys.exit(main(sys.argv[1:]))'
    out = tmp_path / 'reports' / 'report.json'
    done = run(code, exported.model, clips['sound'], '--out', out, '--threads', 1)
    assert done.returncode == 0, done.stderr
    wanted = EmotionModel(exported.model, 1)(clips['sound'])
    assert EmotionReport.load(out).to_dict() == wanted
    shown = run(code, exported.model, clips['sound'], '--segments', 2)
    assert len(json.loads(shown.stdout)['segments']) == 2
    failed = run(code, exported.model, tmp_path / 'none.mp4')
    assert failed.returncode == 1 and 'none.mp4: the file does not exist' in failed.stderr
    for name in ABSENT[:3]:  # the hook itself works
        assert f'{name} is absent' in run(f'import {name}').stderr


def test_files_that_are_no_exported_model(exported, tmp_path):
    import onnx

    from mart_mm_runtime.errors import ModelError
    from mart_mm_runtime.model import EmotionModel

    text = tmp_path / 'text.onnx'
    text.write_text('no model')
    with pytest.raises(ModelError, match='text.onnx: ONNX Runtime cannot load it'):
        EmotionModel(text)
    with pytest.raises(ModelError, match='nowhere.onnx: the file does not exist'):
        EmotionModel(tmp_path / 'nowhere.onnx')
    model = onnx.load(str(exported.model))
    content = json.loads(model.metadata_props[0].value)
    for change, message in (
        (dict(format=2), 'metadata of format 2, this runtime reads 1'),
        (dict(frames={}), 'is incomplete'),
        (None, "has no 'mart_mm'"),
    ):
        del model.metadata_props[:]
        if change is not None:
            entry = model.metadata_props.add()
            entry.key, entry.value = 'mart_mm', json.dumps(content | change)
        onnx.save(model, str(tmp_path / 'changed.onnx'))
        with pytest.raises(ModelError, match=message):
            EmotionModel(tmp_path / 'changed.onnx')
