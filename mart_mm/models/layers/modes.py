"""Modes for a moment: a module as in evaluation, arithmetic in full precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import nn


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put a module into evaluation mode, then back: no dropout, and running statistics stay.

    Args:
        module: Whose parts all share its mode.
    """
    was_training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(was_training)


def full_precision(device: torch.device) -> AbstractContextManager:
    """No autocast, for matrix products that need float32; devices without autocast have none anyway.

    Args:
        device: Of the tensors.
    """
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()
