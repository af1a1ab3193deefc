"""The prepare scripts from download to samples: repeated, killed, with broken files."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mart_mm.datasets.affwild2 import EXPRESSIONS, AffWild2
from mart_mm.datasets.ekman6 import Ekman6
from mart_mm.datasets.iemocap import IEMOCAP
from mart_mm.datasets.media.audio_reader import read_audio
from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.datasets.perr import PERR
from mart_mm.datasets.video_emotion8 import VideoEmotion8
from mart_mm.preparation.command import main
from mart_mm.utils.media_writer import write_video

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / 'tools' / 'data'


@pytest.fixture(scope='module')
def clip(tmp_path_factory) -> Path:
    """Two seconds with sound, large enough to take a moment."""
    path = tmp_path_factory.mktemp('clip') / 'clip.mp4'
    frames = np.random.default_rng(0).integers(0, 256, (50, 23, 40, 3), dtype=np.uint8)
    frames = frames.repeat(8, axis=1).repeat(8, axis=2)
    write_video(path, frames, 25, np.zeros(32000, dtype=np.float32), gop=50)
    return path


@pytest.fixture
def ekman6(tmp_path, clip) -> Path:
    """A download: eight videos of which one is cut and one missing, and one that is in no list."""
    raw = tmp_path / 'raw'
    (raw / 'Ekman6' / 'Anger').mkdir(parents=True)
    for number in (*range(1, 8), 50):
        shutil.copy(clip, raw / 'Ekman6' / 'Anger' / f'{number}.MP4')
    cut = raw / 'Ekman6' / 'Anger' / '3.MP4'
    cut.write_bytes(cut.read_bytes()[:5000])
    for split, numbers in (('train', (1, 2, 3, 4)), ('test', (5, 6, 7, 8))):
        lines = [f'anger/{number} 1\n' for number in numbers]
        (raw / f'{split}list01.txt').write_text(''.join(lines))
    return raw


def command(raw: Path, out: Path, *options: str) -> list[str]:
    tool = str(TOOLS / 'ekman6' / 'prepare.py')
    return [sys.executable, tool, '--source', str(raw), '--out', str(out), '--jobs', '1', *options]


def snapshot(folder: Path, times: bool = True) -> dict[str, tuple]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), times and path.stat().st_mtime_ns)
        for path in sorted(folder.rglob('*'))
        if path.is_file()
    }


def test_run_twice_killed_and_run_again(tmp_path, ekman6):
    whole, killed = tmp_path / 'whole', tmp_path / 'killed'
    small = ('--short-side', '48', '--gop', '5')
    first = subprocess.run(command(ekman6, whole, *small), capture_output=True, text=True)
    assert first.returncode == 1  # two of eight are more than the share allowed
    assert f'6 of 8 videos are in {whole}, 6 of them new' in first.stdout
    assert 'missing: videos/anger/8: no file of this name (testlist01.txt)' in first.stdout
    assert 'broken: ' in first.stdout and 'Anger/3.MP4: cannot be read as video' in first.stdout
    assert 'in no list: Ekman6/Anger/50.MP4' in first.stdout
    failures = json.loads((whole / 'prepare_failures.json').read_text())
    assert list(failures['failed']) == [str(ekman6 / 'Ekman6' / 'Anger' / '3.MP4')]

    before = snapshot(whole)
    allowed = (*small, '--max-failed-share', '0.25')
    again = subprocess.run(command(ekman6, whole, *allowed), capture_output=True, text=True)
    assert again.returncode == 0 and '6 of 8' in again.stdout and '0 of them new' in again.stdout
    assert snapshot(whole) == before

    process = subprocess.Popen(command(ekman6, killed, *small), stdout=subprocess.PIPE)
    videos = killed / 'videos' / 'anger'
    deadline = time.monotonic() + 60
    while not any(videos.glob('[0-9].mp4')) and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)  # ends when its workers, who share the pipe, have ended
    done = snapshot(killed)
    assert 1 <= sum(name.endswith('.mp4') for name in done if '/.' not in name) < 6
    (videos / '.5.abc.tmp.mp4').write_bytes(b'of a process that was killed in the middle')
    assert main('ekman6', '', command(ekman6, killed, *small)[2:]) == 1
    assert snapshot(killed, times=False) == snapshot(whole, times=False)
    kept = {name: entry for name, entry in done.items() if '/.' not in name}
    assert kept.items() <= snapshot(killed).items()


def test_small_copies_are_what_the_data_set_reads(tmp_path, ekman6, clip, capsys):
    out = tmp_path / 'out'
    arguments = ['--source', str(ekman6), '--out', str(out), '--jobs', '1']
    assert main('ekman6', '', [*arguments, '--short-side', '48']) == 1
    assert '6 of 8 videos' in capsys.readouterr().out
    data = Ekman6(data_root=str(out), ann_file='annotations/trainlist01.txt', pipeline=[])
    record = data.get_data_info(1)
    assert record['video_path'] == str(out / 'videos/anger/2.mp4')
    with VideoReader(record['video_path']) as copy, VideoReader(clip) as source:
        assert copy.num_frames == source.num_frames == 50 and copy.size == (84, 48)
        np.testing.assert_allclose(copy.times, source.times, atol=1e-4)
    sound = read_audio(clip)
    assert abs(len(read_audio(record['video_path'])) - len(sound)) <= 1024
    with pytest.raises(SystemExit) as stopped:
        main('ekman6', '', arguments)
    assert stopped.value.code == 2
    assert 'prepared with other options (short_side 48, now None)' in capsys.readouterr().err
    assert main('ekman6', '', [*arguments, '--force']) == 1
    assert (out / 'videos/anger/2.mp4').is_symlink()


def test_other_layouts_are_read(tmp_path, clip):
    """Each download, prepared, gives its class the records and videos that were planted."""
    raw, out = tmp_path / 'raw', tmp_path / 'out'

    def put(path: str, content: str | Path) -> None:
        (raw / path).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copy(content, raw / path)
        else:
            (raw / path).write_text(content)

    def prepared(name: str) -> str:
        options = ['--source', str(raw / name), '--out', str(out / name), '--jobs', '2']
        if name == 'perr':
            tool = [sys.executable, str(TOOLS / 'perr' / 'prepare.py'), '--seed', '1']
            assert subprocess.run([*tool, *options]).returncode == 0
        else:
            assert main(name, '', options) == 0
        return str(out / name)

    put('video_emotion8/Joy/BMW.Jump@^~.Part2.mp4', clip)
    put('video_emotion8/FEAR/Who_do [you].wmv.mp4', clip)
    put('video_emotion8/trainlist01.txt', 'Anger/BMW.Jump@^~.Part2 1\nJoy/BMW.Jump@^~.Part2 5')
    put('video_emotion8/testlist01.txt', 'Fear/Who_do[you].wmv')
    put('perr/clips/a.mp4', clip)
    put('perr/clips/b.mp4', clip)
    put('perr/p.csv', 'clip,person_a,person_b,label\na,A,B,mild\na,B,C,tense\nb,A,B,Hostile\n')
    for session in range(1, 6):
        dialog, name = f'iemocap/Session{session}/dialog', f'Ses0{session}F_impro01'
        put(f'{dialog}/EmoEvaluation/{name}.txt', f'[0.5 - 1.5]\t{name}_F000\texc\t[2, 2, 2]\n')
        put(f'{dialog}/transcriptions/{name}.txt', f'{name}_F000 [000.5000-001.5000]: Oh!\n')
        put(f'{dialog}/avi/DivX/{name}.mp4', clip)
    frames = '\n'.join(['4'] * 50)
    put('affwild2/EXPR_Set/Training_Set/v_left.txt', ','.join(EXPRESSIONS) + '\n' + frames)
    put('affwild2/batch1/v.mp4', clip)
    put('affwild2/cropped_aligned/v_left/00001.jpg', 'x')

    ve8 = prepared('video_emotion8')
    perr = prepared('perr')
    affwild2 = prepared('affwild2')
    expressions = 'annotations/EXPR_Recognition_Challenge/Train_Set'
    data_sets = [
        VideoEmotion8(data_root=ve8, ann_file='annotations/trainlist01.txt', pipeline=[]),
        VideoEmotion8(data_root=ve8, ann_file='annotations/testlist01.txt', pipeline=[]),
        PERR(data_root=perr, ann_file='annotations/train.csv', pipeline=[]),
        PERR(data_root=perr, ann_file='annotations/test.csv', pipeline=[]),
        IEMOCAP(data_root=prepared('iemocap'), split='test', pipeline=[]),
        AffWild2(data_root=affwild2, ann_file=expressions, window_frames=50, pipeline=[]),
        AffWild2(data_root=affwild2, ann_file=expressions, faces=True, pipeline=[]),
    ]
    read = []
    for data in data_sets:
        for index in range(len(data)):
            record = data.get_data_info(index)
            video = record.get('audio_path', record['video_path'])
            assert VideoReader(video).num_frames == 50
            name = data.metainfo['classes'][record['gt_emotion']]
            read.append((record['video_id'].split('#')[0], name))
    pairs = [('a', 'mild'), ('a', 'tense'), ('b', 'hostile')]
    assert read[:2] == [('Joy/BMW.Jump@^~.Part2', 'Joy'), ('Fear/Who_do[you].wmv', 'Fear')]
    assert sorted(read[2:5]) == pairs
    assert read[5] == ('Ses05F_impro01_F000', 'excited')
    assert read[6:] == [('v_left', 'Happiness')] * 2
    assert (Path(affwild2) / 'cropped_aligned' / 'v_left' / '00001.jpg').is_file()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--source', '/nowhere'], 'is no folder'),
        (['--source', '.', '--short-side', '4'], '--short-side at least 16'),
        (['--source', '.', '--jobs', '0'], 'at least 1'),
        (['--source', '.', '--out', './inside'], 'must lie apart'),
        (['--source', '.', '--max-failed-share', '2'], 'from 0 to 1'),
    ],
)
def test_wrong_arguments(capsys, options, message):
    with pytest.raises(SystemExit) as stopped:
        main('ekman6', '', options)
    assert stopped.value.code == 2 and message in capsys.readouterr().err


@pytest.mark.parametrize('name', ['ekman6', 'video_emotion8', 'perr', 'iemocap', 'affwild2'])
def test_help_loads_nothing_heavy(name):
    code = (
        f'import runpy, sys; sys.argv = ["prepare.py", "--help"]\n'
        f'try: runpy.run_path({str(TOOLS / name / "prepare.py")!r}, run_name="__main__")\n'
        'except SystemExit: pass\n'
        'print({"torch", "mmengine", "av"} & set(sys.modules))'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.stdout.endswith('set()\n') and '--short-side' in done.stdout
