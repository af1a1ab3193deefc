from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mart_mm.exports import FORMATS, write_exports
from mart_mm.exports.names import safe_stem
from mart_mm.structures.emotion_report import EmotionReport


def test_every_format_writes_its_files(tmp_path: Path, kit: SimpleNamespace, clip: Path) -> None:
    report = kit.report()
    paths = write_exports(report, clip, tmp_path / 'new', [*FORMATS, 'json'])
    assert [path.name for path in paths] == [
        'talk.v2.emotion.json',
        'talk.v2.emotion.csv',
        'talk.v2.emotion.words.csv',
        'talk.v2.emotion.srt',
        'talk.v2.emotion.eaf',
        'talk.v2.labelstudio.json',
        'talk.v2.labelstudio.xml',
        'talk.v2.overlay.mp4',
    ]
    assert sorted(paths) == sorted((tmp_path / 'new').iterdir())
    assert all(path.stat().st_size > 50 for path in paths)
    assert EmotionReport.load(paths[0]) == report
    assert json.loads(paths[5].read_text(encoding='utf-8'))
    for form in FORMATS.values():
        assert form.suffix.startswith('.') and '/' in form.media_type


def test_the_transcript_beside_the_video_is_left_alone(
    tmp_path: Path, kit: SimpleNamespace
) -> None:
    names = ('talk.v2.srt', 'talk.v2.json', 'talk.v2.csv', 'talk.v2.eaf')
    for name in names:
        (tmp_path / name).write_text('mine')
    without = [name for name in FORMATS if not FORMATS[name].needs_media]
    assert len(write_exports(kit.report(), None, tmp_path, without)) == 7
    assert [(tmp_path / name).read_text() for name in names] == ['mine'] * 4


def test_nothing_is_written_when_something_is_wrong(tmp_path: Path, kit: SimpleNamespace) -> None:
    out, report = tmp_path / 'out', kit.report()
    with pytest.raises(ValueError, match="'sub'.*json, csv, srt, eaf, labelstudio, overlay"):
        write_exports(report, None, out, ['json', 'sub'])
    with pytest.raises(ValueError, match="'overlay'.*media_path"):
        write_exports(report, None, out, ['json', 'overlay'])
    with pytest.raises(FileNotFoundError, match='gone.mp4'):
        write_exports(report, tmp_path / 'gone.mp4', out, ['json'])
    assert not out.exists()
    assert write_exports(report, None, out, []) == []


@pytest.mark.parametrize(
    ('video', 'stem'),
    [
        ('talk.mp4', 'talk'),
        ('talk.v2.mp4', 'talk.v2'),
        ('../../etc/passwd', 'passwd'),
        ('/abs/a.mp4', 'a'),
        ('C:\\films\\a.mp4', 'a'),
        ('..', 'video'),
        ('', 'video'),
        ('.hidden', '_hidden'),
        ('-rf.mp4', '_rf'),
        ('a<b>:"c|d?e*\n.mp4', 'a_b___c_d_e__'),
        ('CON.mp4', '_CON'),
        ('ü 語 😀.mp4', 'ü 語 😀'),
        ('a ..mp4', 'a'),
        ('\udcff.mp4', 'video'),
    ],
)
def test_safe_names(video: str, stem: str) -> None:
    assert safe_stem(video) == stem


def test_long_names_are_cut_between_signs() -> None:
    stem = safe_stem('語' * 200 + '.mp4')
    assert set(stem) == {'語'} and 170 < len(stem.encode()) <= 180


def test_files_stay_in_the_folder(tmp_path: Path, kit: SimpleNamespace) -> None:
    out = tmp_path / 'a' / 'b'
    report = kit.report(video='../../evil/../x\x00.mp4')
    paths = write_exports(report, None, out, ['json', 'csv', 'srt', 'eaf', 'labelstudio'])
    assert {path.parent for path in paths} == {out}
    assert [path for path in tmp_path.rglob('*') if path.is_file() and path.parent != out] == []


def test_importing_is_light() -> None:
    code = (
        'import sys, mart_mm.exports; '
        'print([n for n in ("av", "pympi", "matplotlib", "torch", "cv2") if n in sys.modules])'
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=root)
    assert done.stdout.strip() == '[]', done.stdout + done.stderr
