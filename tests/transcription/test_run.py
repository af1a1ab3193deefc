from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pysubs2
import pytest

from mart_mm.datasets.transforms.transcript import LoadTranscript
from mart_mm.transcription.config import BackendConfig
from mart_mm.transcription.filters import SegmentFilter
from mart_mm.transcription.results import result_path
from mart_mm.transcription.run import _Worker, find_media, transcribe_files
from tools.data import transcribe as tool

ROOT = Path(__file__).resolve().parents[2]
LINES = [(0.4, 1.6, 'hello wörld,'), (2.0, 3.2, 'love and rage!')]

Writer = Callable[..., Path]
Whisper = Callable[..., str]


def config(model: str, **options: object) -> BackendConfig:
    return BackendConfig(model, 'transformers', device='cpu', **options)


def run_tool(*arguments: object) -> int:
    return tool.main([*map(str, arguments), '--backend', 'transformers', '--device', 'cpu'])


def test_tool_writes_files_that_the_pipeline_reads(
    tmp_path: Path, whisper: Whisper, video: Writer, capsys: pytest.CaptureFixture
) -> None:
    path = video(tmp_path / 'a.mp4')
    assert run_tool(tmp_path, '--model', whisper()) == 0
    assert '1 transcribed, 0 finished before, 0 failed' in capsys.readouterr().out
    events = pysubs2.load(str(tmp_path / 'a.asr.srt')).events
    assert [(e.start / 1000, e.end / 1000, e.text) for e in events] == LINES
    content = json.loads((tmp_path / 'a.asr.json').read_text())
    assert content['counts'] == dict(kept=2, dropped={}) and content['language'] == 'de'
    results = LoadTranscript()(dict(video_path=str(path)))
    assert [line[:3] for line in results['transcript']] == LINES
    assert results['transcript_source'] == 'speech' and results['warnings'] == []
    assert [word.text for word in results['transcript'][1].words] == ['love', 'and', 'rage!']


KILLED = """
import os, signal, sys
sys.path.insert(0, {root!r})
from mart_mm.transcription import run
from tools.data import transcribe
count, whole = 0, run.transcribe_file
def until_the_second(*arguments):
    global count
    count += 1
    if count == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(*arguments)
run.transcribe_file = until_the_second
transcribe.main({arguments!r})
"""


def test_a_killed_run_goes_on_where_it_stopped(
    tmp_path: Path, whisper: Whisper, video: Writer, capsys: pytest.CaptureFixture
) -> None:
    names = [video(tmp_path / f'{name}.mp4', seed=i).stem for i, name in enumerate('abc')]
    arguments = [str(tmp_path), '--model', whisper(), '--backend', 'transformers']
    script = KILLED.format(root=str(ROOT), arguments=[*arguments, '--device', 'cpu'])
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    finished = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob('*.asr.*')}
    assert sorted(finished) == ['a.asr.json', 'a.asr.srt']

    assert run_tool(*arguments[:3]) == 0
    assert '2 transcribed, 1 finished before, 0 failed' in capsys.readouterr().out
    assert sorted(p.name for p in tmp_path.glob('*.asr.json')) == [f'{n}.asr.json' for n in names]
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in finished} == finished

    assert run_tool(*arguments[:3]) == 0
    assert '0 transcribed, 3 finished before' in capsys.readouterr().out
    assert run_tool(*arguments[:3], '--overwrite') == 0
    assert '3 transcribed, 0 finished before' in capsys.readouterr().out
    assert run_tool(*arguments[:3], '--language', 'en') == 0  # another result is asked for
    assert '3 transcribed, 0 finished before' in capsys.readouterr().out
    assert json.loads((tmp_path / 'a.asr.json').read_text())['language'] == 'en'


def test_video_without_sound_has_an_empty_result(
    tmp_path: Path, whisper: Whisper, video: Writer
) -> None:
    path = video(tmp_path / 'a.mp4', sound=False)
    report = transcribe_files([path], config(whisper()))
    assert report.transcribed == [str(path)] and report.failures == {}
    content = json.loads(result_path(path).read_text())
    assert content['has_sound'] is False and content['segments'] == content['dropped'] == []
    assert pysubs2.SSAFile.from_string((tmp_path / 'a.asr.srt').read_text(), 'srt').events == []
    results = LoadTranscript()(dict(video_path=str(path)))
    assert (results['has_text'], results['warnings']) == (False, [])
    assert transcribe_files([path], config(whisper())).skipped == [str(path)]


def test_broken_files_are_counted(
    tmp_path: Path, whisper: Whisper, video: Writer, capsys: pytest.CaptureFixture
) -> None:
    good = video(tmp_path / 'good.mp4')
    (tmp_path / 'bad.mp4').write_bytes(good.read_bytes()[:200])
    (tmp_path / 'empty.mkv').touch()
    assert run_tool(tmp_path, '--model', whisper(), '--max-failed', '0.67') == 0
    out = capsys.readouterr().out
    assert '1 transcribed, 0 finished before, 2 failed' in out
    assert out.count('cannot be opened') == 2 and 'bad.mp4' in out and 'empty.mkv' in out
    assert [p.name for p in tmp_path.glob('*.asr.json')] == ['good.asr.json']
    assert run_tool(tmp_path, '--model', whisper(), '--max-failed', '0.66') == 1
    assert '0 transcribed, 1 finished before, 2 failed' in capsys.readouterr().out


def test_invented_segments_are_counted(tmp_path: Path, whisper: Whisper, video: Writer) -> None:
    path = video(tmp_path / 'a.mp4')
    loop = ''.join(f'<|{i:.2f}|> love<|{i + 1:.2f}|>' for i in range(3))
    report = transcribe_files([path], config(whisper(loop)))
    assert (report.kept, report.dropped) == (0, {'repeated_line': 3})
    content = json.loads(result_path(path).read_text())
    assert content['counts'] == dict(kept=0, dropped=dict(repeated_line=3))
    assert [item['text'] for item in content['dropped']] == ['love'] * 3

    unsure = whisper(loudness=1.2, no_speech=0.6)  # no_speech_prob 0.4, avg_logprob -0.2
    assert transcribe_files([path], config(unsure)).dropped == {}
    strict = SegmentFilter(no_speech_threshold=0.2, logprob_threshold=-0.1)
    report = transcribe_files([path], config(unsure), strict)
    assert (report.kept, report.dropped) == (0, {'no_speech': 2})


def test_processes(tmp_path: Path, whisper: Whisper, video: Writer) -> None:
    files = [video(tmp_path / f'{name}.mp4', 2.0) for name in 'ab']
    (tmp_path / 'broken.mp4').touch()
    report = transcribe_files([*files, tmp_path / 'broken.mp4'], config(whisper()), jobs=2)
    assert sorted(report.transcribed) == sorted(map(str, files))
    assert list(report.failures) == [str(tmp_path / 'broken.mp4')]


def test_process_without_a_model_says_so(tmp_path: Path) -> None:
    """An error in a process's start would otherwise be lost."""
    _Worker.start(config(str(tmp_path / 'none')), SegmentFilter())
    with pytest.raises(FileNotFoundError, match='no such folder'):
        _Worker.attempt_here('a.mp4')


def test_wrong_input(tmp_path: Path, video: Writer, capsys: pytest.CaptureFixture) -> None:
    path = video(tmp_path / 'a.mp4')
    for arguments, message in (
        ([tmp_path / 'none.mp4', '--model', 'm'], 'no such file'),
        ([path, '--model', tmp_path / 'none'], 'no such folder'),
        ([path, '--model', path], 'no such folder'),
    ):
        assert run_tool(*arguments) == 2
        assert message in capsys.readouterr().err
    with pytest.raises(ValueError, match='faster-whisper'):
        BackendConfig('m', 'faster-wisper')


def test_media_files_are_found(tmp_path: Path) -> None:
    for name in ('b/c.MKV', 'b/c.srt', 'a.mp4', 'a.asr.json', 'd.flac', 'e.xyz'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    names = [path.relative_to(tmp_path).as_posix() for path in find_media([tmp_path])]
    assert names == ['a.mp4', 'b/c.MKV', 'd.flac']
    assert find_media([tmp_path / 'e.xyz', tmp_path / 'e.xyz']) == [tmp_path / 'e.xyz']
    (tmp_path / 'a.mkv').touch()
    with pytest.raises(ValueError, match=r'would share .*a\.asr\.json'):
        find_media([tmp_path])
    (tmp_path / 'none').mkdir()
    with pytest.raises(ValueError, match='no media file'):
        find_media([tmp_path / 'none'])


def test_help_needs_no_torch() -> None:
    code = (
        f'import sys; sys.argv = ["x", "--help"]; sys.path.insert(0, {str(ROOT)!r})\n'
        'from tools.data.transcribe import main\n'
        'try: main()\n'
        'finally: print("torch" in sys.modules, "mmengine" in sys.modules)'
    )
    environment = os.environ | dict(PYTHONPATH='')
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0 and done.stdout.endswith('False False\n'), done.stderr
