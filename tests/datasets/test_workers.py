"""Who may end a worker."""

import multiprocessing
import os
import signal
import time

import torch
from torch.utils.data import DataLoader, Dataset

from mart_mm.datasets.workers import end_with_parent


class ProcessIds(Dataset):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> int:
        return os.getpid()


def test_a_signal_to_the_whole_run_leaves_workers_alone() -> None:
    loader = DataLoader(
        ProcessIds(), num_workers=1, persistent_workers=True, worker_init_fn=end_with_parent
    )
    (worker,) = {int(pid) for pid in loader}
    stranger = multiprocessing.get_context('fork').Process(
        target=os.kill, args=(worker, signal.SIGTERM)
    )
    stranger.start()
    stranger.join(60)
    assert stranger.exitcode == 0
    assert torch.cat(list(loader)).tolist() == [worker] * 4


def test_its_parent_ends_it() -> None:
    def work() -> None:
        end_with_parent(0)
        ready.set()
        time.sleep(120)

    context = multiprocessing.get_context('fork')
    ready = context.Event()
    worker = context.Process(target=work, daemon=True)
    worker.start()
    assert ready.wait(60)
    worker.terminate()
    worker.join(60)
    assert worker.exitcode == 0
