"""A disk that is full while a run saves, logs and caches, and while results are written."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger

from mart_mm.apis import infer as infer_module
from mart_mm.apis.inference.outcome import Outcome
from mart_mm.datasets.cache import FileCache, cache_key
from mart_mm.engine.hooks.failure_report import FailureReportHook
from mart_mm.engine.vis_backend import FaultTolerantVisBackend
from mart_mm.errors import CheckpointNotSavedError
from mart_mm.lexicon.base import LexiconEntry
from mart_mm.lexicon.packed import PackedLexicon
from mart_mm.structures.emotion_report import EmotionReport, SegmentReport
from mart_mm.visualization.report import draw_report
from mart_mm.visualization.style import save_figure
from mart_mm.weight_files.published import write_published
from mart_mm.weight_files.resuming import newest_whole

_SIZE = 256 << 10


class SmallDisk:
    """A disk of 256 KiB."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self, leave: int = 0) -> None:
        """Write until there is no room but for ``leave`` bytes."""
        room = os.statvfs(self.path)
        with open(self.path / 'filler', 'ab') as file:
            file.write(bytes(max(0, room.f_bavail * room.f_frsize - leave)))

    def clear(self) -> None:
        (self.path / 'filler').unlink()


def forget_logs_below(folder: Path) -> None:
    """The log that is current stays so for later tests, in which its file is gone."""
    for logger in MMLogger._instance_dict.values():
        for handler in list(logger.handlers):
            if folder in Path(getattr(handler, 'baseFilename', '')).parents:
                handler.close()
                logger.removeHandler(handler)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    path = tmp_path / 'disk'
    path.mkdir()
    command = ['mount', '-t', 'tmpfs', '-o', f'size={_SIZE}', 'tmpfs', str(path)]
    if os.getuid() or subprocess.run(command, capture_output=True).returncode:
        pytest.skip('a small disk cannot be mounted here: this needs to be root')
    try:
        yield SmallDisk(path)
    finally:
        forget_logs_below(path)
        subprocess.run(['umount', '--lazy', str(path)], check=True)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob('*') if path.is_file())


def test_no_room_for_a_checkpoint(disk: SmallDisk, tiny_runs: SimpleNamespace) -> None:
    """The run stops and says what to do; the last checkpoint loads; with room it goes on."""
    work_dir = disk.path / 'run'
    tiny_runs.train(work_dir, 2)
    disk.fill(leave=8 << 10)  # for the log, not for a checkpoint
    before = {path.name: path.read_bytes() for path in work_dir.glob('*.pth')}
    with pytest.raises(CheckpointNotSavedError) as caught:
        tiny_runs.train(work_dir, 3, resume=True)
    assert caught.value.errno == errno.ENOSPC
    message = str(caught.value)
    assert str(work_dir / 'epoch_3.pth') in message and 'bytes are free there' in message
    assert '--resume' in message and 'max_keep_ckpts' in message
    assert {path.name: path.read_bytes() for path in work_dir.glob('*.pth')} == before
    assert not list(work_dir.glob('.*'))
    assert newest_whole(work_dir) == str(work_dir / 'epoch_2.pth')
    disk.clear()
    assert tiny_runs.train(work_dir, 3, resume=True).epoch == 3
    assert newest_whole(work_dir) == str(work_dir / 'epoch_3.pth')


@pytest.mark.parametrize('failing', ['write_bytes', 'fsync', 'replace'])
def test_a_write_that_fails_at_any_point(
    tiny_runs: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """The same on any machine: the disk says that it is full when bytes are written, or only later."""
    tiny_runs.train(tmp_path, 2)
    before = {path.name: path.read_bytes() for path in tmp_path.glob('*.pth')}

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, 'No space left on device')

    runner = tiny_runs.build(tmp_path, 3, resume=True)
    monkeypatch.setattr(Path if failing == 'write_bytes' else os, failing, fail)
    with pytest.raises(CheckpointNotSavedError, match=r'epoch_3\.pth is not saved \(No space left'):
        runner.train()
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in tmp_path.glob('*.pth')} == before
    assert not list(tmp_path.glob('.*'))
    assert newest_whole(tmp_path) == str(tmp_path / 'epoch_2.pth')


def test_no_room_for_the_log(
    disk: SmallDisk,
    tiny_runs: SimpleNamespace,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Until it saves a checkpoint, a run goes on as it would have."""
    hook = dict(type='ResumableCheckpointHook', interval=-1, save_last=False)
    runner = tiny_runs.build(disk.path / 'run', 20, default_hooks=dict(checkpoint=hook))
    runner.visualizer.add_scalar('before', 1.0)
    (log,) = Path(runner.log_dir).glob('*.log')
    disk.fill()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter('always')
        runner.train()
    assert runner.epoch == 20
    (warning,) = (w for w in told if 'vis_data' in str(w.message))
    assert 'the run goes on without' in str(warning.message)
    said = ''.join(capfd.readouterr())
    assert 'Logging error' not in said
    assert said.count(f'{log} cannot be written') == 1
    (scalars,) = Path(runner.log_dir).glob('vis_data/scalars.json')
    lines = scalars.read_text().splitlines()
    assert json.loads(lines[0]) == dict(before=1.0, step=0)
    disk.clear()
    runner.visualizer.add_scalar('after', 2.0)
    lines = [json.loads(line) for line in scalars.read_text().splitlines()]
    assert lines[-1] == dict(after=2.0, step=0)


def test_lines_of_scalars_are_whole(disk: SmallDisk) -> None:
    backend = FaultTolerantVisBackend(str(disk.path))
    with pytest.warns(UserWarning, match=r'scalars\.json cannot be written') as told:
        for step in range(900):
            backend.add_scalars(dict(loss=step / 7, text='x' * 300), step=step)
    assert len(told) == 1
    lines = [json.loads(line) for line in (disk.path / 'scalars.json').read_text().splitlines()]
    assert 0 < len(lines) < 900
    steps = [line['step'] for line in lines]
    assert steps == sorted(set(steps))


def test_no_room_for_the_list_of_failures(disk: SmallDisk) -> None:
    said = []
    runner = SimpleNamespace(
        log_dir=str(disk.path), logger=SimpleNamespace(warning=said.append, info=said.append)
    )
    hook = FailureReportHook()
    hook.failures = {'a.mp4': 'broken'}
    hook._write(runner)
    hook.failures |= {f'{number}.mp4': 'x' * 100 for number in range(1000)}
    disk.fill(leave=4096)
    hook._write(runner)
    assert 'failures.json cannot be written' in said[0] and 'the run goes on' in said[0]
    assert json.loads((disk.path / 'failures.json').read_text()) == {'a.mp4': 'broken'}
    assert names(disk.path) == ['failures.json', 'filler']


def test_no_room_for_the_cache(disk: SmallDisk) -> None:
    """Values are computed each time; it is said once."""
    cache = FileCache(str(disk.path / 'cache'))
    small, large = np.arange(100.0), np.zeros(1 << 20)
    cache.store(cache_key('a'), dict(n=1), small)
    with pytest.warns(UserWarning, match='entries are not kept.*No space left') as told:
        for name in 'bcd':
            cache.store(cache_key(name), {}, large)
    assert len(told) == 1
    assert cache.load(cache_key('b')) is None
    with cache.load(cache_key('a')) as entry:
        np.testing.assert_array_equal(entry.rows(0, 100), small)
    assert len(names(disk.path / 'cache')) == 1


class _Lexicon(PackedLexicon):
    """A packed lexicon of as many words as the source says."""

    def __init__(self, source: Path, folder: Path) -> None:
        def read() -> dict[str, LexiconEntry]:
            words = (f'word{number}' for number in range(int(source.read_text())))
            return {word: LexiconEntry(word, 1, 0.5, (), {}) for word in words}

        super().__init__(source, read, str(folder))


def test_no_room_for_a_packed_lexicon(disk: SmallDisk, tmp_path: Path) -> None:
    source = tmp_path / 'lexicon.txt'
    source.write_text('20000')
    with pytest.warns(UserWarning, match='the packed lexicon is not kept.*No space left'):
        lexicon = _Lexicon(source, disk.path)
    assert len(lexicon) == 20000 and lexicon.lookup('word7').value == 0.5
    assert names(disk.path) == []


REPORT = EmotionReport(
    video='a.mp4',
    duration=1.0,
    classes=['joy', 'fear'],
    polarity=[1, -1],
    emotion='joy',
    scores=[0.5, 0.5],
    sentiment=1,
    segments=[SegmentReport(0.0, 1.0, [0.5, 0.5], 'joy', 1, 1.0)],
    words=[],
    has_sound=True,
    transcript_source=None,
)


@pytest.mark.parametrize('is_mended', [True, False])
def test_no_room_for_results(
    disk: SmallDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_mended: bool
) -> None:
    """`mart-mm infer` counts the video as failed and goes on; what is there is whole."""
    videos = [tmp_path / f'{name}.mp4' for name in 'abc']
    for video in videos:
        video.touch()

    class Inferencer:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def preprocess(self, inputs: list, *_: object, **__: object) -> Iterator[Outcome]:
            for number, video in enumerate(inputs):
                if number == 1:
                    disk.fill()
                if number == 2 and is_mended:
                    disk.clear()
                yield Outcome(video, replace(REPORT, video=video.name))

    monkeypatch.setattr(infer_module, 'MARTInferencer', Inferencer)
    out = disk.path / 'out'
    formats = ['json', 'csv', 'srt']
    status = infer_module.infer(videos, 'model', out_dir=out, formats=formats)
    assert status == infer_module.SOME_FAILED
    written = names(out)
    assert [name for name in written if name.startswith('.')] == []
    assert all((out / name).stat().st_size for name in written)
    stems = {name.partition('.')[0] for name in written}
    if is_mended:
        assert stems == {'a', 'c', 'failures'}
        failed = json.loads((out / 'failures.json').read_text())
        assert list(failed) == [str(videos[1])], failed
        assert 'No space left' in failed[str(videos[1])]
    else:
        assert 'a' in stems and not {'b', 'c', 'failures'} & stems
    assert EmotionReport.load(out / 'a.emotion.json').emotion == 'joy'


def test_no_room_for_a_picture(disk: SmallDisk) -> None:
    figure = draw_report(REPORT)
    old = save_figure(figure, disk.path / 'a.png').read_bytes()
    disk.fill(leave=4096)
    with pytest.raises(OSError, match='No space left'):
        save_figure(figure, disk.path / 'a.png')
    assert (disk.path / 'a.png').read_bytes() == old
    assert names(disk.path) == ['a.png', 'filler']


def test_no_room_for_published_weights(disk: SmallDisk) -> None:
    with pytest.raises(OSError, match='No space left'):
        write_published(dict(a=torch.zeros(1 << 20)), {}, disk.path / 'a')
    assert names(disk.path) == []


def test_fill_leaves_no_room(disk: SmallDisk) -> None:
    """Otherwise the tests above would show nothing."""
    disk.fill()
    with pytest.raises(OSError, match='No space left'):
        (disk.path / 'a').write_bytes(bytes(1))
