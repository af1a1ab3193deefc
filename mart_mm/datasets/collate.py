"""Samples to a batch."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from mart_mm.registry import FUNCTIONS


def _stack(values: list) -> object:
    first = values[0]
    if isinstance(first, Tensor):
        return torch.stack(values, out=_room(first, len(values)))
    if isinstance(first, Mapping):
        return {key: _stack([value[key] for value in values]) for key in first}
    return torch.tensor(values)


def _room(member: Tensor, count: int) -> Tensor:
    """An empty batch; in a worker it lies in shared memory, so that it need not be copied there."""
    shape = (count, *member.shape)
    if get_worker_info() is None:
        return member.new_empty(shape)
    storage = member.untyped_storage()._new_shared(
        member.element_size() * member.numel() * count, device=member.device
    )
    return member.new_empty(0).set_(storage).resize_(shape)


@FUNCTIONS.register_module()
def affective_collate(samples: list[dict]) -> dict:
    """Stack inputs; keep data samples as a list; set unreadable videos aside.

    Args:
        samples: Items of an affective data set. One without ``inputs`` could not be read.

    Returns:
        ``inputs`` (nested dict of tensors with a leading batch axis; empty when nothing could be read),
        ``data_samples``, ``failed_samples`` and ``failures``, a list of (path, reason).
    """
    good = [sample for sample in samples if 'inputs' in sample]
    failed = [sample['data_samples'] for sample in samples if 'inputs' not in sample]
    return dict(
        inputs=_stack([sample['inputs'] for sample in good]) if good else {},
        data_samples=[sample['data_samples'] for sample in good],
        failed_samples=failed,
        failures=[f for sample in samples for f in sample['data_samples'].failures],
    )
