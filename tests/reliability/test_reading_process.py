"""A decoder that crashes, ends its process or hangs costs its video, not the run."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from mart_mm.datasets.collate import affective_collate
from mart_mm.datasets.ekman6 import Ekman6
from mart_mm.datasets.reading_process import ReadingProcess, ReadingProcessError
from mart_mm.datasets.transforms.formatting import PackAffectiveInputs
from mart_mm.errors import MediaError, TooManyFailuresError

GOOD = ['anger/a', 'joy/b', 'fear/c', 'joy/d', 'sadness/e']
REASONS = {
    'joy/segfault': 'its decoder crashed (signal 11, SIGSEGV)',
    'anger/abort': 'its decoder crashed (signal 6, SIGABRT)',
    'fear/exit': 'its decoder ended the process (exit code 3)',
    'joy/memory': 'the process that read it was killed (signal 9): is memory short?',
    'fear/hang': 'reading it took more than 3 s: if it is not damaged but far away, raise the data '
    "set's read_timeout",
}
SIGNALS = dict(segfault=signal.SIGSEGV, abort=signal.SIGABRT, memory=signal.SIGKILL)


class Faults:
    """A pipeline that misbehaves as the names of videos say.

    Args:
        instead: What all of them do in place of that.
        log: Notes each misbehaviour.
        times: After so many of them it behaves.
    """

    def __init__(self, instead: str = '', log: Path | None = None, times: int = 1000) -> None:
        self.instead, self.log, self.times = instead, log, times

    def __call__(self, results: dict) -> dict:
        if results['video_id'] not in GOOD:
            self._misbehave(results['video_id'].split('/')[1], results['video_path'])
        results |= dict(
            imgs=results['rng'].integers(0, 256, (2, 1, 4, 4, 3)).astype(np.uint8),
            audios=np.zeros((2, 8, 128), np.float32),
            has_audio=True,
            has_text=False,
            segment_times=np.array([[0.0, 1.0], [1.0, 2.0]]),
            texts=['', ''],
            cues=[[], []],
            class_has_words=np.ones(6, bool),
        )
        return PackAffectiveInputs(max_cues=3)(results)

    def _misbehave(self, kind: str, path: str) -> None:
        kind = self.instead or kind
        if self.log:
            with open(self.log, 'a') as file:
                file.write(f'{os.getpid()}\n')
            if deaths(self.log) > self.times:
                return
        if kind == 'unreadable':
            raise MediaError(path, 'unreadable')
        if kind == 'mistake':
            raise ZeroDivisionError('a mistake in a transform')
        if kind == 'exit':
            os._exit(3)
        if kind == 'hang':
            time.sleep(3600)
        os.kill(os.getpid(), SIGNALS[kind])


def deaths(log: Path) -> int:
    return len(log.read_text().split())


def dataset(
    folder: Path, names: list[str], faults: Faults | None = None, **options: object
) -> Ekman6:
    (folder / 'videos').mkdir(exist_ok=True)
    classes = Ekman6.METAINFO['classes']
    lines = [f'{name} {classes.index(name.split("/")[0]) + 1}' for name in names]
    (folder / 'list.txt').write_text('\n'.join(lines))
    return Ekman6(
        ann_file='list.txt', data_root=str(folder), pipeline=[faults or Faults()], **options
    )


def batches(data: Ekman6, epochs: int = 1, workers: int = 2) -> list[dict]:
    loader = DataLoader(
        data, 2, num_workers=workers, persistent_workers=True, collate_fn=affective_collate
    )
    found = []
    for epoch in range(epochs):
        data.set_epoch(epoch)
        found += list(loader)
    return found


def summary(found: list[dict]) -> list[tuple]:
    """Names, contents and what failed of each batch."""
    return [
        (
            [sample.video_id for sample in batch['data_samples']],
            [sample.video_id for sample in batch['failed_samples']],
            batch['inputs']['imgs'].tolist() if batch['inputs'] else [],
            [path for path, _ in batch['failures']],
        )
        for batch in found
    ]


@pytest.mark.parametrize('test_mode', [False, True])
def test_the_run_goes_on_as_if_the_videos_were_unreadable(
    tmp_path: Path, test_mode: bool, count: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    bad = [name for name in REASONS if not (test_mode and name == 'fear/hang')]
    names = [name for pair in zip_longest(bad, GOOD) for name in pair if name]
    epochs, options = count(2, 20), dict(test_mode=test_mode, read_timeout=3.0)
    found = batches(dataset(tmp_path, names, **options), epochs)
    plain = batches(dataset(tmp_path, names, Faults('unreadable'), **options), epochs)
    assert summary(found) == summary(plain)
    failures = [failure for batch in found for failure in batch['failures']]
    told = {(str(tmp_path / 'videos' / f'{name}.mp4'), REASONS[name]) for name in bad}
    assert set(failures) == told and len(failures) >= len(bad) * epochs
    tell(
        f'{len(bad)} videos that end their decoder, {epochs} epochs: {len(failures)} failures told'
    )


def test_a_video_is_given_up_after_two_processes_by_all_workers_for_the_run(tmp_path: Path) -> None:
    log = tmp_path / 'log'
    data = dataset(tmp_path, ['joy/b', 'joy/segfault', *GOOD[2:]], Faults(log=log))
    batches(data, 3)
    assert len(set(log.read_text().split())) == deaths(log) == 2
    again = DataLoader(data, 6, num_workers=1, collate_fn=affective_collate)
    assert next(iter(again))['failures'] and deaths(log) == 2


def test_a_death_that_is_not_the_videos_fault_changes_nothing(tmp_path: Path) -> None:
    log, names = tmp_path / 'log', ['joy/b', 'joy/memory', *GOOD[2:]]
    found = batches(dataset(tmp_path, names, Faults(log=log, times=1)))
    assert deaths(log) == 2 and not any(batch['failures'] for batch in found)
    behaved = dataset(tmp_path, names, Faults(log=log, times=0))
    assert summary(found) == summary(batches(behaved))


def test_all_records_of_the_file_are_given_up(tmp_path: Path) -> None:
    log = tmp_path / 'log'
    data = dataset(tmp_path, [*GOOD, 'joy/segfault'], Faults(log=log), test_mode=True)
    data.data_list = [data.get_data_info(index) for index in range(len(data))]
    data.serialize_data = False
    for index in (3, 4):
        part = dict(video_id=f'part {index}/segfault', video_path=data.data_list[5]['video_path'])
        data.data_list[index] |= part
    found = batches(data, workers=1)
    assert sum(len(batch['failed_samples']) for batch in found) == 3
    assert deaths(log) == 2


def test_a_mistake_in_a_transform_ends_the_run_and_is_shown(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError, match='a mistake in a transform') as error:
        batches(dataset(tmp_path, ['joy/segfault', *GOOD], Faults('mistake')))
    assert 'in _misbehave' in str(error.value)
    traceback.clear_frames(error.tb)  # they hold the loader


def test_too_many_crashes_in_a_row_stop_the_run(tmp_path: Path) -> None:
    names = [f'joy/{n}' for n in range(5)]
    with pytest.raises(TooManyFailuresError, match=r'4 videos in a row[\s\S]+SIGSEGV') as error:
        batches(dataset(tmp_path, names, Faults('segfault'), max_refetch=3))
    traceback.clear_frames(error.tb)  # they hold the loader


def test_no_process_without_workers_or_without_a_limit(tmp_path: Path) -> None:
    ours = os.getpid()

    def report(results: dict) -> dict:
        packed = Faults()(results)
        packed['data_samples'].set_metainfo(dict(process=(os.getpid(), os.getppid())))
        return packed

    def processes(workers: int, timeout: float | None) -> set[tuple[int, int]]:
        data = dataset(tmp_path, GOOD, read_timeout=timeout)
        data.pipeline = report
        loader = DataLoader(data, 5, num_workers=workers, collate_fn=affective_collate)
        return {sample.process for batch in loader for sample in batch['data_samples']}

    assert {own for own, _ in processes(0, 2.0)} == {ours}
    assert {parent for _, parent in processes(1, None)} == {ours}
    ((own, parent),) = processes(1, 60.0)
    assert ours not in (own, parent)


def test_a_limit_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='read_timeout=0'):
        dataset(tmp_path, GOOD, read_timeout=0)


def test_values_come_back_as_they_are_and_belong_to_the_caller() -> None:
    big = np.arange(1 << 16)

    def answer(item: object) -> dict:
        return dict(
            item=item,
            tensor=torch.arange(6).view(2, 3).T,
            half=torch.ones(3, dtype=torch.bfloat16),
            array=big,
            empty=torch.zeros(0, 4),
            flag=torch.tensor([True, False]),
        )

    process = ReadingProcess(answer, 60.0)
    first, second = process('a'), process('b')
    first['array'][:] = 0
    first['tensor'].zero_()
    assert (first['item'], second['item']) == ('a', 'b')
    assert np.array_equal(second['array'], big)
    assert torch.equal(second['tensor'], torch.arange(6).view(2, 3).T)
    assert torch.equal(second['half'], torch.ones(3, dtype=torch.bfloat16))
    assert second['empty'].shape == (0, 4) and second['flag'].tolist() == [True, False]


def test_more_than_the_shared_memory_holds_comes_back_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('mart_mm.datasets.reading_process._ROOM', 1 << 12)
    process = ReadingProcess(lambda item: torch.full((5000,), item), 60.0)
    assert process(3).tolist() == [3] * 5000 and process(4).tolist() == [4] * 5000


def test_an_error_that_cannot_be_sent_is_told_in_words() -> None:
    class UnsendableError(Exception):
        def __init__(self, one: int, two: int) -> None:
            super().__init__(f'{one} and {two}')

    def fail(_: object) -> None:
        raise UnsendableError(1, 2)

    with pytest.raises(RuntimeError, match='UnsendableError: 1 and 2'):
        ReadingProcess(fail, 60.0)(0)


def test_the_process_ends_with_the_one_that_asks_and_survives_its_death_while_idle() -> None:
    process = ReadingProcess(lambda item: os.getpid(), 60.0)
    pid = process(0)
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    other = process(0)
    assert other != pid
    process._pipe.close()
    assert os.waitpid(other, 0)[1] == 0


def test_time_is_limited_for_each_call_alone() -> None:
    process = ReadingProcess(time.sleep, 1.0)
    for _ in range(3):
        process(0.4)
    with pytest.raises(ReadingProcessError) as error:
        process(60)
    assert error.value.is_timeout
    process(0)
