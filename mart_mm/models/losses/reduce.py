"""Means over the valid entries of a global batch."""

from __future__ import annotations

import torch
from mmengine.dist import all_reduce, get_world_size
from torch import Tensor


def global_mean(values: Tensor, is_valid: Tensor) -> Tensor:
    """Mean over the valid entries of all processes, scaled for gradient averaging.

    Each process returns its sum over (number valid everywhere / number of processes). The mean of
    these over processes, which is what gradient averaging makes of them, is the mean over the global
    batch, however unevenly the valid entries are spread. Without any valid entry the loss is 0 and
    its gradient is 0, and every parameter still takes part.

    Args:
        values: Any shape.
        is_valid: Bool of the same shape, True where a value counts.

    Returns:
        Scalar.
    """
    weight = is_valid.to(values.dtype)
    count = weight.sum().detach()
    if get_world_size() > 1:
        count = count.clone()
        all_reduce(count, op='sum')
        count = count / get_world_size()
    # where, not a product: 0 * inf is nan
    total = torch.where(is_valid, values, torch.zeros_like(values)).sum()
    return total / count.clamp(min=1 / get_world_size())
