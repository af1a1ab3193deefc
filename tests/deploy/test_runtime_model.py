"""From a video file to a report, without what the model was trained with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

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


@pytest.mark.parametrize('name', ['sound', 'silent', 'variable', 'short_sound', 'long'])
def test_report_equals_that_of_pytorch(exported, clips, name):
    from mart_mm_runtime.model import EmotionModel

    content = EmotionModel(exported.model, num_threads=1)(clips[name])
    report = EmotionReport.from_dict(json.loads(json.dumps(content)))
    assert report.to_dict() == content
    wanted = exported.inferencer.report(clips[name])
    np.testing.assert_allclose(report.scores, wanted.scores, rtol=0, atol=1e-4)
    assert len(report.segments) == len(wanted.segments) == (18 if name == 'long' else 6)
    for part, other in zip(report.segments, wanted.segments, strict=True):
        assert (part.start, part.end) == pytest.approx((other.start, other.end), abs=2e-3)
        np.testing.assert_allclose(part.distribution, other.distribution, rtol=0, atol=1e-4)
        assert (part.emotion, part.sentiment) == (other.emotion, other.sentiment)
        assert part.degree == pytest.approx(other.degree, abs=1e-3)
    spread = np.ptp([part.distribution for part in wanted.segments], axis=0)
    assert spread.max() > 0.05  # they differ
    assert 'words were not looked for' in report.warnings[-1]
    alike = ('video', 'duration', 'classes', 'polarity', 'emotion', 'sentiment', 'words')
    for field in (*alike, 'has_sound', 'transcript_source', 'model'):
        assert getattr(report, field) == getattr(wanted, field), field
    assert report.warnings[:-1] == wanted.warnings == []
    assert report.has_sound == (name != 'silent')


def test_length_of_a_segment(exported, clips):
    from mart_mm_runtime.model import EmotionModel

    report = EmotionModel(exported.model, 5 / 12)(clips['sound'])
    assert [part['start'] for part in report['segments']] == pytest.approx(
        [report['duration'] * index / 12 for index in range(12)], abs=1e-3
    )
    with pytest.raises(ValueError, match='segment_seconds=0'):
        EmotionModel(exported.model, 0)


def test_a_part_that_cannot_be_decoded_is_left_out(exported, clips, monkeypatch):
    from mart_mm_runtime.errors import MediaError
    from mart_mm_runtime.media.video_reader import VideoReader
    from mart_mm_runtime.model import EmotionModel

    model, read = EmotionModel(exported.model), VideoReader.read

    def damaged(self: VideoReader, indices: np.ndarray) -> np.ndarray:
        if broken == 'all' or indices[0] <= 30 <= indices[-1]:
            raise MediaError(self.path, 'damaged')
        return read(self, indices)

    broken = 'middle'
    monkeypatch.setattr(VideoReader, 'read', damaged)
    report = model(clips['long'])
    assert len(report['segments']) == 12
    third = report['duration'] / 3
    assert report['segments'][6]['start'] == pytest.approx(2 * third, abs=1e-3)
    assert report['warnings'][0] == f'{third:.1f} to {2 * third:.1f} s left out: damaged'
    broken = 'all'
    with pytest.raises(MediaError, match='long.mp4: damaged'):
        model(clips['long'])


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
    wanted = EmotionModel(exported.model, num_threads=1)(clips['sound'])
    assert EmotionReport.load(out).to_dict() == wanted
    shown = run(code, exported.model, clips['sound'], '--segment-seconds', 5 / 12)
    assert len(json.loads(shown.stdout)['segments']) == 12
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
