"""A kill while a checkpoint is saved, and a damaged checkpoint when a run goes on."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from mart_mm.engine.hooks import resumable_checkpoint
from mart_mm.errors import CheckpointNotSavedError, NothingToResumeError, WeightsError
from mart_mm.utils import atomic
from mart_mm.weight_files import resuming
from mart_mm.weight_files.resuming import newest_whole
from mart_mm.weight_files.saving import DurableBackend

_FORK = multiprocessing.get_context('fork')
_DEADLINE = 120  # seconds; against hangs


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the search for a checkpoint logs."""
    lines = []
    monkeypatch.setattr(resuming, 'print_log', lambda line, **_: lines.append(line))
    return lines


def epochs(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob('*.pth'))


@pytest.mark.parametrize('keep', [1, 2])
def test_a_new_checkpoint_is_whole_before_an_old_one_goes(
    tiny_runs: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: int
) -> None:
    seen, put = [], DurableBackend.put

    def watch(self: DurableBackend, obj: bytes, path: str) -> None:
        pointer = tmp_path / 'last_checkpoint'
        named = Path(pointer.read_text()).exists() if pointer.exists() else None
        seen.append((epochs(tmp_path), named))
        put(self, obj, path)

    monkeypatch.setattr(DurableBackend, 'put', watch)
    tiny_runs.train(tmp_path, 4, keep=keep)
    assert [named for _, named in seen] == [None, True, True, True]
    last = [f'epoch_{number}.pth' for number in range(4 - keep, 4)]
    assert seen[3][0] == last
    assert epochs(tmp_path) == [f'epoch_{number}.pth' for number in range(5 - keep, 5)]


def test_the_best_so_far_stays_until_a_better_one_is_whole(
    tiny_runs: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = dict(type='ResumableCheckpointHook', interval=1, save_best='acc', rule='greater')
    runner = tiny_runs.train(tmp_path, 1, default_hooks=dict(checkpoint=hook))
    (hook,) = (
        h for h in runner.hooks if isinstance(h, resumable_checkpoint.ResumableCheckpointHook)
    )
    hook.after_val_epoch(runner, dict(acc=0.5))
    assert (tmp_path / 'best_acc_epoch_1.pth').exists()
    runner.train_loop._epoch = 2
    full = OSError(28, 'No space left on device')
    with monkeypatch.context() as patch:
        patch.setattr(Path, 'write_bytes', lambda *_: (_ for _ in ()).throw(full))
        with pytest.raises(CheckpointNotSavedError, match=r'best_acc_epoch_2\.pth is not saved'):
            hook.after_val_epoch(runner, dict(acc=0.6))
    assert (tmp_path / 'best_acc_epoch_1.pth').exists()
    hook.after_val_epoch(runner, dict(acc=0.7))
    hook.after_val_epoch(runner, dict(acc=0.8))  # of the same name
    assert [p.name for p in tmp_path.glob('best_*')] == ['best_acc_epoch_2.pth']


def test_a_checkpoint_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events, sync, replace = [], os.fsync, os.replace

    def note_sync(handle: int) -> None:
        events.append(os.readlink(f'/proc/self/fd/{handle}'))
        sync(handle)

    def note_replace(source: str, target: Path) -> None:
        events.append((str(source), str(target)))
        replace(source, target)

    monkeypatch.setattr(os, 'fsync', note_sync)
    monkeypatch.setattr(os, 'replace', note_replace)
    DurableBackend().put(b'content', str(tmp_path / 'a.pth'))
    temporary = events[0]
    assert events == [temporary, (temporary, str(tmp_path / 'a.pth')), str(tmp_path)]
    assert (tmp_path / 'a.pth').read_bytes() == b'content'


def _half(path: Path, content: bytes) -> None:
    with open(path, 'wb') as file:
        file.write(content[: len(content) // 2])


def _stop(point: str, reached: object) -> None:
    """Make this process stand still at a point of the second save."""

    def stand(*_: object) -> None:
        reached.send(point)
        signal.pause()

    saves = itertools.count(1)
    put, remove_now = DurableBackend.put, resumable_checkpoint._RemovesLater.remove_now

    def second(self: DurableBackend, obj: bytes, path: str) -> None:
        if next(saves) == 2:
            if point == 'half written':
                Path.write_bytes = lambda target, content: (_half(target, content), stand())
            elif point == 'not renamed':
                os.replace = stand
            elif point == 'not named':
                put(self, obj, path)
                stand()
        put(self, obj, path)

    def removing(self: object) -> None:
        if point == 'nothing removed' and self._pending:
            stand()
        remove_now(self)

    DurableBackend.put = second
    resumable_checkpoint._RemovesLater.remove_now = removing


@pytest.mark.parametrize('point', ['half written', 'not renamed', 'not named', 'nothing removed'])
def test_a_kill_while_saving_leaves_the_last_good_one(
    tiny_runs: SimpleNamespace, tmp_path: Path, point: str
) -> None:
    tiny_runs.train(tmp_path / 'whole', 4, keep=1)
    work_dir = tmp_path / 'killed'

    def run(reached: object) -> None:
        _stop(point, reached)
        tiny_runs.train(work_dir, 4, keep=1)

    receive, send = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=run, args=(send,))
    process.start()
    try:
        assert receive.poll(_DEADLINE) and receive.recv() == point
    finally:
        process.kill()
        process.join()
    left = [path for path in work_dir.glob('.*.tmp.pth')]
    assert bool(left) == (point in ('half written', 'not renamed'))
    is_new = point in ('not named', 'nothing removed')
    assert Path(newest_whole(work_dir)).name == f'epoch_{2 if is_new else 1}.pth'
    tiny_runs.train(work_dir, 4, keep=1, resume=True)
    assert not list(work_dir.glob('.*.tmp.pth'))
    assert epochs(work_dir) == ['epoch_4.pth']
    expected, got = (
        torch.load(folder / 'epoch_4.pth', weights_only=True)
        for folder in (tmp_path / 'whole', work_dir)
    )
    for name, value in expected['state_dict'].items():
        assert torch.equal(got['state_dict'][name], value)


def test_a_checkpoint_of_another_run_removes_nothing(
    tiny_runs: SimpleNamespace, tmp_path: Path
) -> None:
    """It may name files that are to go; only the run's own is heeded."""
    tiny_runs.train(tmp_path / 'own', 1)
    tiny_runs.train(tmp_path / 'other', 2)
    foreign = torch.load(tmp_path / 'other' / 'epoch_2.pth', weights_only=True)
    names = ['epoch_1.pth', '../own/epoch_1.pth', 'notes.txt']
    foreign['message_hub']['runtime_info'][resumable_checkpoint.OUTGOING] = names
    torch.save(foreign, tmp_path / 'foreign.pth')
    (tmp_path / 'own' / 'notes.txt').write_text('mine')
    given = dict(resume=True, load_from=str(tmp_path / 'foreign.pth'))
    tiny_runs.train(tmp_path / 'own', 3, keep=-1, **given)
    assert epochs(tmp_path / 'own') == ['epoch_1.pth', 'epoch_3.pth']
    assert (tmp_path / 'own' / 'notes.txt').exists()


def test_what_another_process_writes_is_not_removed(tmp_path: Path) -> None:
    with atomic.replacing(tmp_path / 'a.pth') as temporary:
        temporary.write_bytes(b'half')
        assert atomic.remove_abandoned(tmp_path, '.pth') == []
        assert temporary.exists()
    assert (tmp_path / 'a.pth').read_bytes() == b'half'
    (tmp_path / '.b.x.tmp.pth').write_bytes(b'left by a kill')
    (tmp_path / '.b.x.pth').write_bytes(b"somebody's")
    assert [path.name for path in atomic.remove_abandoned(tmp_path, '.pth')] == ['.b.x.tmp.pth']
    assert sorted(path.name for path in tmp_path.iterdir()) == ['.b.x.pth', 'a.pth']


def _flip(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    middle = content.index(b'data/0') + 200  # in the first tensor
    content[middle + rng.randrange(64)] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def _truncate(path: Path, rng: random.Random) -> None:
    os.truncate(path, rng.randrange(1, path.stat().st_size))


DAMAGES: dict[str, tuple[Callable, str]] = {
    'truncated': (_truncate, r'epoch_3\.pth is (damaged|no checkpoint)'),
    'empty': (lambda path, _: os.truncate(path, 0), r'epoch_3\.pth is no checkpoint'),
    'flipped bit': (_flip, r'epoch_3\.pth is damaged: .*data/0 is not as it was written'),
    'removed': (lambda path, _: path.unlink(), r'epoch_3\.pth does not exist'),
    'a folder': (lambda path, _: (path.unlink(), path.mkdir()), r'epoch_3\.pth does not exist'),
    'text': (lambda path, _: path.write_text('moved to /archive'), r'epoch_3\.pth is no checkpoint'),
    'weights only': (
        lambda path, _: torch.save(dict(state_dict={}), path),
        r'epoch_3\.pth holds no meta, message_hub: a run cannot go on',
    ),
}  # fmt: skip


@pytest.fixture
def finished(tiny_runs: SimpleNamespace, tmp_path: Path) -> Path:
    """A run that kept three checkpoints."""
    tiny_runs.train(tmp_path / 'finished', 3, keep=3)
    return tmp_path / 'finished'


def test_resume_takes_the_newest_whole_one(
    finished: Path,
    tmp_path: Path,
    told: list[str],
    count: Callable[[int, int], int],
    tell: Callable[[str], None],
) -> None:
    rng, injected = random.Random(0), 0
    assert newest_whole(finished) == str(finished / 'epoch_3.pth') and told == []
    for number, (name, (damage, message)) in itertools.product(
        range(count(2, 100)), DAMAGES.items()
    ):
        folder = tmp_path / f'{number} {name}'
        shutil.copytree(finished, folder)
        (folder / 'last_checkpoint').write_text(str(folder / 'epoch_3.pth'))
        damage(folder / 'epoch_3.pth', rng)
        assert newest_whole(folder) == str(folder / 'epoch_2.pth')
        (line,) = told
        assert line.startswith('skipped: ') and re.search(message, line), line
        told.clear()
        shutil.rmtree(folder)
        injected += 1
    tell(f'{injected} newest checkpoints damaged, the one before was taken {injected} times')


def test_the_run_goes_on_from_it(
    finished: Path, tiny_runs: SimpleNamespace, tmp_path: Path
) -> None:
    os.truncate(finished / 'epoch_3.pth', 100)
    tiny_runs.train(finished, 4, keep=3, resume=True)
    tiny_runs.train(tmp_path / 'whole', 4)
    (log,) = (
        text
        for text in (path.read_text() for path in finished.glob('*/*.log'))
        if 'resumed epoch' in text
    )
    assert 'skipped: ' in log and 'epoch_3.pth is damaged' in log and 'resumed epoch: 2' in log
    expected, got = (
        torch.load(folder / 'epoch_4.pth', weights_only=True)['optimizer']
        for folder in (tmp_path / 'whole', finished)
    )
    assert torch.equal(got['state'][0]['exp_avg'], expected['state'][0]['exp_avg'])


def test_what_last_checkpoint_says(finished: Path, tmp_path: Path, told: list[str]) -> None:
    pointer = finished / 'last_checkpoint'
    for content in (b'', b'\xff\xfe\0', b'\0', b'.', b'epoch_3.pth\n'):  # of a crash, or by hand
        pointer.write_bytes(content)
        assert newest_whole(finished) == str(finished / 'epoch_3.pth')
    assert told == []
    # a run that began again in the folder of a longer one
    pointer.write_text(str(finished / 'epoch_2.pth'))
    os.utime(finished / 'epoch_3.pth', (0, 0))
    assert newest_whole(finished) == str(finished / 'epoch_2.pth')
    # killed after it saved, before it said so
    os.utime(finished / 'epoch_3.pth')
    assert newest_whole(finished) == str(finished / 'epoch_3.pth')
    # the folder is copied, and moved
    copied = shutil.copytree(finished, tmp_path / 'copied')
    assert newest_whole(copied) == str(copied / 'epoch_3.pth')
    moved = shutil.move(finished, tmp_path / 'moved')
    (moved / 'last_checkpoint').write_text(str(finished / 'epoch_3.pth'))
    assert newest_whole(moved) == str(moved / 'epoch_3.pth') and told == []


def test_none_is_whole(finished: Path, tiny_runs: SimpleNamespace, told: list[str]) -> None:
    for path in finished.glob('*.pth'):
        os.truncate(path, 50)
    with pytest.raises(NothingToResumeError, match='none of the 3 checkpoints') as caught:
        tiny_runs.train(finished, 4, resume=True)
    for name in ('epoch_1.pth', 'epoch_2.pth', 'epoch_3.pth', '--resume FILE'):
        assert name in str(caught.value)
    with pytest.raises(WeightsError, match=r'epoch_2\.pth is damaged'):
        tiny_runs.train(finished, 4, resume=True, load_from=str(finished / 'epoch_2.pth'))


def test_there_is_none_yet(tiny_runs: SimpleNamespace, tmp_path: Path) -> None:
    assert newest_whole(tmp_path) is None
    runner = tiny_runs.train(tmp_path, 1, resume=True)
    assert runner.iter == 2


def test_all_processes_take_the_same(finished: Path, tmp_path: Path) -> None:
    """The second process sees another disk, on which the newest one is damaged."""
    other = shutil.copytree(finished, tmp_path / 'other')
    (other / 'last_checkpoint').unlink()
    os.truncate(other / 'epoch_3.pth', 10)
    empty = tmp_path / 'empty'
    empty.mkdir()

    def run(rank: int, send: object) -> None:
        torch.distributed.init_process_group(
            'gloo', init_method=f'file://{tmp_path}/store', rank=rank, world_size=2
        )
        found = [newest_whole([finished, other][rank]), newest_whole([empty, other][rank])]
        for path in other.glob('*.pth') if rank == 0 else ():
            os.truncate(path, 10)
        try:
            newest_whole([other, finished][rank])
        except NothingToResumeError as error:
            found.append(str(error)[:19])
        send.send(found)

    receive, send = _FORK.Pipe(duplex=False)
    processes = [_FORK.Process(target=run, args=(rank, send)) for rank in range(2)]
    for process in processes:
        process.start()
    answers = [receive.recv() for _ in processes if receive.poll(_DEADLINE)]
    for process in processes:
        process.kill()
        process.join()
    assert answers == [[str(finished / 'epoch_3.pth'), None, 'none of the 3 check']] * 2
