"""One of two processes that share a data set."""

from __future__ import annotations

from datetime import timedelta

import torch.distributed as dist

from mart_mm.datasets.samplers import BalancedSampler


class _Videos(list):
    decoded_seconds = list.__getitem__


def share(rank: int, store: str, seconds: list[float]) -> list[int]:
    """Indices of this process, to which the videos seem this long."""
    dist.init_process_group(
        'gloo', init_method=f'file://{store}', rank=rank, world_size=2, timeout=timedelta(minutes=4)
    )
    try:
        return list(BalancedSampler(_Videos(seconds), seed=3))
    finally:
        dist.destroy_process_group()
