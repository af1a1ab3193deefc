"""What the command does, and what it returns."""

from __future__ import annotations

import csv
import json
import shutil
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


def test_videos_of_the_same_name_are_written_apart(
    checkpoint: Path, videos: Path, tmp_path: Path
) -> None:
    folder, out = tmp_path / 'in', tmp_path / 'out'
    sources = {
        'a.mp4': 'one.mp4',
        'A.mkv': 'bare.mp4',
        'sub/a.mp4': 'two.mp4',
        'sub/b.mp4': 'one.mp4',
    }
    for name, source in sources.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(videos / source, folder / name)
    options = dict(out_dir=out, device='cpu', formats=['json', 'csv', 'srt'], picture=False)
    assert infer([folder, videos / 'one.mp4', folder / 'sub' / 'a.mp4'], checkpoint, **options) == 0
    wanted = {
        'a.mp4': 6, 'A.mkv': 12, 'sub/a': 12, 'sub/b': 6, 'one': 6, 'a.mp4_2': 12,
    }  # fmt: skip
    for suffix in ('.emotion.json', '.emotion.csv', '.emotion.srt'):
        found = {str(p.relative_to(out)).removesuffix(suffix) for p in out.rglob(f'*{suffix}')}
        assert found == set(wanted)
    for stem, seconds in wanted.items():
        report = EmotionReport.load(out / f'{stem}.emotion.json')
        assert report.duration == pytest.approx(seconds, abs=0.2)
        with (out / f'{stem}.emotion.csv').open(encoding='utf-8-sig') as file:
            rows = list(csv.reader(file))
        assert len(rows) == 1 + len(report.segments)


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
    ((report, media, folder, names, stem),) = asked
    assert report == EmotionReport.load(tmp_path / 'one.emotion.json')
    assert (media, folder, names, stem) == (path, tmp_path, ['csv', 'eaf'], 'one')
    monkeypatch.setattr(write, lambda *arguments: (_ for _ in ()).throw(OSError('disk full')))
    assert (
        infer(path, checkpoint, out_dir=tmp_path, device='cpu', formats=formats, picture=False) == 1
    )
    assert 'disk full' in json.loads((tmp_path / 'failures.json').read_text())[str(path)]
