"""What the command does, and what it returns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mart_mm.apis.infer import infer
from mart_mm.structures.emotion_report import EmotionReport


def test_a_folder_with_a_broken_video(checkpoint: Path, videos: Path, tmp_path: Path) -> None:
    assert infer(videos, checkpoint, out_dir=tmp_path, device='cpu', picture=False) == 1
    failures = json.loads((tmp_path / 'failures.json').read_text())
    assert list(failures) == [str(videos / 'broken.mp4')]
    assert sorted(p.name for p in tmp_path.glob('*.json')) == [
        'bare.emotion.json', 'failures.json', 'one.emotion.json', 'two.emotion.json',
    ]  # fmt: skip
    assert infer(videos / 'one.mp4', checkpoint, out_dir=tmp_path, device='cpu') == 0
    assert not (tmp_path / 'failures.json').exists()
    assert (tmp_path / 'one.emotion.png').stat().st_size > 10_000


def test_wrong_arguments(checkpoint: Path, videos: Path, tmp_path: Path) -> None:
    options = dict(out_dir=tmp_path / 'out', device='cpu')
    assert infer(tmp_path, checkpoint, **options) == 2
    assert infer(videos, tmp_path / 'absent.pth', **options) == 2
    assert infer(videos, checkpoint, formats=['docx'], **options) == 2
    (tmp_path / 'a.srt').write_text('')
    assert infer(videos, checkpoint, transcript=tmp_path / 'a.srt', **options) == 2
    assert not (tmp_path / 'out').exists()


def test_exports_are_asked_for(
    checkpoint: Path, videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple] = []
    write = 'mart_mm.apis.infer.write_exports'
    monkeypatch.setattr(write, lambda *arguments: asked.append(arguments))
    formats = ['json', 'csv', 'eaf']
    path = videos / 'one.mp4'
    assert (
        infer(path, checkpoint, out_dir=tmp_path, device='cpu', formats=formats, picture=False) == 0
    )
    ((report, media, folder, names),) = asked
    assert report == EmotionReport.load(tmp_path / 'one.emotion.json')
    assert (media, folder, names) == (path, tmp_path, ['csv', 'eaf'])
    monkeypatch.setattr(write, lambda *arguments: (_ for _ in ()).throw(OSError('disk full')))
    assert (
        infer(path, checkpoint, out_dir=tmp_path, device='cpu', formats=formats, picture=False) == 1
    )
    assert 'disk full' in json.loads((tmp_path / 'failures.json').read_text())[str(path)]
