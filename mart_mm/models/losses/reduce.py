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

    Sums and counts are float32 under autocast, too.

    Gradient accumulation averages the gradients of k micro-batches. That is the mean over the large
    batch where all of them have the same number of valid entries, as the classification losses have
    when every video has the modality. It is not so where validity differs (silent videos, verified
    words): a micro-batch then counts as much as another one with more valid entries, since the count
    of those that follow is not known yet. Losses that compare the entries of a batch with each other
    (contrastive ones across videos), and batch norms, see a micro-batch only.

    Args:
        values: Any shape.
        is_valid: Bool of the same shape, True where a value counts.

    Returns:
        Scalar.
    """
    values = values.to(torch.promote_types(values.dtype, torch.float32))
    count = is_valid.sum().to(values.dtype)
    if get_world_size() > 1:
        all_reduce(count, op='sum')
        count = count / get_world_size()
    # where, not a product: 0 * inf is nan
    total = torch.where(is_valid, values, torch.zeros_like(values)).sum()
    return total / count.clamp(min=1 / get_world_size())
