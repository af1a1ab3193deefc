"""Time steps of a stream's tokens."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def time_axis(grid: tuple[int, ...]) -> int:
    """Axis of time: the first of (t, h, w), the last of (frequency, time).

    Raises:
        ValueError: For another grid.
    """
    if len(grid) not in (2, 3):
        raise ValueError(
            f'a grid {grid} has no axis of time: choose granularity="segment" for this stream'
        )
    return 0 if len(grid) == 3 else 1


def step_of_token(grid: tuple[int, ...]) -> Tensor:
    """Membership of tokens in time steps.

    Returns:
        Float (N, steps), 1 where a token belongs to a step.
    """
    axis = time_axis(grid)
    shape = [1] * len(grid)
    shape[axis] = grid[axis]
    step = torch.arange(grid[axis]).view(shape).expand(grid).flatten()
    return F.one_hot(step, grid[axis]).float()


def step_means(tokens: Tensor, grid: tuple[int, ...], steps: int) -> Tensor:
    """Mean of the tokens of each time step, fitted to another number of steps by averaging.

    Args:
        tokens: (BS, N, D), all tokens in their order.
        grid: Of the stream.
        steps: Wanted number of steps.

    Returns:
        (BS, steps, D).
    """
    axis = time_axis(grid)
    others = [1 + i for i in range(len(grid)) if i != axis]
    means = tokens.unflatten(1, grid).mean(others)  # (BS, own steps, D)
    if means.shape[1] == steps:
        return means
    return F.adaptive_avg_pool1d(means.transpose(1, 2), steps).transpose(1, 2)
