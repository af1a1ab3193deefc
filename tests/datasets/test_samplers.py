from __future__ import annotations

import multiprocessing
import pickle
from pathlib import Path

import numpy as np
import pytest
from torch.utils.data import BatchSampler

from mart_mm.datasets import samplers as module
from mart_mm.datasets.samplers import BalancedSampler, ResumableSampler
from mart_mm.utils.media_writer import write_video


class _Videos:
    """Stands for a data set: videos of these lengths."""

    def __init__(self, seconds: list[float]) -> None:
        self.seconds = seconds

    def __len__(self) -> int:
        return len(self.seconds)

    def decoded_seconds(self, index: int) -> float:
        return self.seconds[index]


def _processes(monkeypatch, kind, dataset, world, **kwargs):
    """Samplers of so many processes, of which the first is asked first."""
    told: list = []

    def broadcast(data: list) -> None:
        if data[0] is not None:
            told[:] = pickle.loads(pickle.dumps(data))
        data[:] = told

    monkeypatch.setattr(module, 'broadcast_object_list', broadcast)
    samplers = []
    for rank in range(world):
        monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda r=rank: (r, world))
        samplers.append(kind(dataset, seed=3, **kwargs))
    return samplers


def _lengths(count: int) -> list[float]:
    return np.random.default_rng(0).lognormal(3, 0.6, count).tolist()


@pytest.mark.parametrize('world', [1, 2, 3])
@pytest.mark.parametrize('batch_size', [1, 4])
def test_each_step_has_the_videos_it_would_have(monkeypatch, world, batch_size):
    dataset = _Videos(_lengths(41))
    plain = _processes(monkeypatch, ResumableSampler, dataset, world)
    balanced = _processes(monkeypatch, BalancedSampler, dataset, world)
    for epoch in range(3):
        steps = []
        for samplers in (plain, balanced):
            for sampler in samplers:
                sampler.set_epoch(epoch)
            batches = [list(BatchSampler(s, batch_size, drop_last=False)) for s in samplers]
            steps.append([sorted(sum(parts, [])) for parts in zip(*batches, strict=True)])
        assert steps[0] == steps[1]


def test_by_a_plain_loop(monkeypatch):
    """The video lists of two processes, dealt out by hand."""
    dataset = _Videos(_lengths(30))
    order = [list(s) for s in _processes(monkeypatch, ResumableSampler, dataset, 2)]
    expected, spent = ([], []), [0.0, 0.0]
    for first, second in zip(*order, strict=True):
        long, short = first, second
        if min(60.0, dataset.seconds[second]) > min(60.0, dataset.seconds[first]):
            long, short = second, first
        behind = 0 if spent[0] <= spent[1] else 1
        for rank, index in ((behind, long), (1 - behind, short)):
            expected[rank].append(index)
            spent[rank] += min(60.0, dataset.seconds[index])
    samplers = _processes(monkeypatch, BalancedSampler, dataset, 2)
    assert tuple(list(s) for s in samplers) == expected
    assert [list(s) for s in samplers] == [list(s) for s in samplers]  # again the same


@pytest.mark.parametrize('world', [2, 4, 8])
def test_processes_decode_as_much_at_any_time(monkeypatch, world):
    dataset = _Videos(_lengths(400))
    spread = {}
    for kind in (ResumableSampler, BalancedSampler):
        shares = [list(s) for s in _processes(monkeypatch, kind, dataset, world)]
        seconds = np.minimum(np.array(dataset.seconds)[np.array(shares)], 60.0).cumsum(1)
        spread[kind] = np.ptp(seconds, axis=0)
    assert spread[BalancedSampler].max() <= 60.0  # never more than one video ahead
    assert spread[BalancedSampler].mean() < 0.4 * spread[ResumableSampler].mean()


def test_starts_within_an_epoch(monkeypatch):
    for sampler in _processes(monkeypatch, BalancedSampler, _Videos(_lengths(21)), 2):
        whole = list(sampler)
        sampler.skip = 4
        assert list(sampler) == whole[4:]


def test_videos_of_equal_length_are_dealt_out_in_turn(monkeypatch):
    for dataset in (_Videos([5.0] * 14), list(range(14))):
        plain = [list(s) for s in _processes(monkeypatch, ResumableSampler, dataset, 2)]
        balanced = [list(s) for s in _processes(monkeypatch, BalancedSampler, dataset, 2)]
        for step in range(7):
            assert {part[step] for part in plain} == {part[step] for part in balanced}


def test_processes_agree_where_they_read_different_lengths(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(Path(__file__).parent)  # the processes import it from there
    from sampler_process import share

    lengths, unread = _lengths(40), _lengths(40)
    unread[::2] = [0.0] * 20
    store = str(tmp_path / 'store')
    with multiprocessing.get_context('spawn').Pool(2) as pool:
        arguments = [(0, store, lengths), (1, store, unread)]
        shares = pool.starmap_async(share, arguments, chunksize=1).get(timeout=300)
    assert sorted(sum(shares, [])) == list(range(40))
    expected = _processes(monkeypatch, BalancedSampler, _Videos(lengths), 2)
    assert shares == [list(sampler) for sampler in expected]


def test_an_error_reaches_every_process(monkeypatch):
    class Broken(_Videos):
        def decoded_seconds(self, index: int) -> float:
            raise OSError('no disk')

    for sampler in _processes(monkeypatch, BalancedSampler, Broken([1.0] * 4), 2):
        with pytest.raises(OSError, match='no disk'):
            list(sampler)


def test_one_process_tells_nobody(monkeypatch):
    monkeypatch.setattr(module, 'broadcast_object_list', lambda data: pytest.fail('told'))
    assert sorted(BalancedSampler(_Videos([1.0] * 5))) == list(range(5))


def test_limit():
    with pytest.raises(ValueError, match='max_seconds=0'):
        BalancedSampler([1, 2], max_seconds=0)


def test_seconds_of_records(tmp_path, barcode):
    from mart_mm.datasets.manifest import ManifestDataset

    write_video(tmp_path / 'a.mp4', barcode.draw(50), 25)
    (tmp_path / 'text.mp4').write_text('no video')
    lines = ['video,label,split,start,end', 'a.mp4,x,train,,', 'a.mp4,x,train,0.5,1.25']
    lines += ['text.mp4,x,train,,', 'absent.mp4,x,train,,']
    (tmp_path / 'manifest.csv').write_text('\n'.join(lines) + '\n')
    dataset = ManifestDataset(
        data_root=str(tmp_path),
        ann_file='manifest.csv',
        split='train',
        classes=['x'],
        polarity=[0],
        mood_table={},
        pipeline=[],
    )
    seconds = [dataset.decoded_seconds(index) for index in range(len(dataset))]
    np.testing.assert_allclose(seconds, [2.0, 0.75, 0.0, 0.0], atol=0.05)
