"""A slowly following copy of a module."""

from __future__ import annotations

import copy
import math

import torch
from torch import nn


def cosine_momentum(base: float, progress: float) -> float:
    """Momentum that rises from ``base`` to 1 along half a cosine (BYOL, MoCo v3)."""
    return 1 - (1 - base) * (math.cos(math.pi * min(progress, 1.0)) + 1) / 2


class MomentumCopy(nn.Module):
    """Weights that follow those of another module; never trained.

    The copy starts equal at the first update, so that weights loaded after construction count.

    Args:
        source: Module to follow; it is not held.
    """

    def __init__(self, source: nn.Module) -> None:
        super().__init__()
        self.module = copy.deepcopy(source).requires_grad_(False)
        self.register_buffer('is_started', torch.tensor(False))

    @torch.no_grad()
    def update(self, source: nn.Module, momentum: float) -> None:
        """Move towards the source: ``momentum * copy + (1 - momentum) * source``; buffers are copied."""
        # where, not an if: no waiting for the device
        share = torch.where(self.is_started, momentum, 0.0)
        for own, other in zip(self.module.parameters(), source.parameters(), strict=True):
            own.copy_(share * own + (1 - share) * other)
        for own, other in zip(self.module.buffers(), source.buffers(), strict=True):
            own.copy_(other)
        self.is_started.fill_(True)

    def forward(self, *args: object, **kwargs: object) -> object:
        """Run the copy without gradient."""
        with torch.no_grad():
            return self.module(*args, **kwargs)
