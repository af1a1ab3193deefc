"""From pictures and clips to patches, and from patches to tokens."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def cut_patches(
    x: Tensor, grid: Sequence[int], patch: Sequence[int], stride: Sequence[int]
) -> Tensor:
    """Patches of an input, by one copy at most.

    Args:
        x: (B, channels, *extents).
        grid: Patches along each axis; what is left over at the ends is not used.
        patch: Extent of a patch.
        stride: Distance of neighbouring patches.

    Returns:
        (B, N, channels, elements of a patch).
    """
    axes = len(grid)
    for axis in range(axes):
        x = x.unfold(2 + axis, patch[axis], stride[axis])
    x = x[(slice(None), slice(None), *(slice(extent) for extent in grid))]
    x = x.permute(0, *range(2, 2 + axes), 1, *range(2 + axes, 2 + 2 * axes))
    return x.flatten(1, axes).flatten(3)


class PatchProjection(nn.Module):
    """Linear layer on patches, with the parameters of the convolution of published checkpoints.

    A convolution whose kernel is a patch computes the same, but cannot leave patches out, and its
    gradient is many times slower on CPU.

    Args:
        channels: Of the input.
        patch: Extent of a patch.
        dims: Width of a token.

    Attributes:
        weight: (dims, channels, *patch).
        bias: (dims,).
    """

    def __init__(self, channels: int, patch: Sequence[int], dims: int) -> None:
        super().__init__()
        self.in_features = channels * prod(patch)
        self.weight = nn.Parameter(torch.empty(dims, channels, *patch))
        self.bias = nn.Parameter(torch.zeros(dims))
        nn.init.xavier_uniform_(self.weight.view(dims, -1))

    def forward(self, patches: Tensor) -> Tensor:
        """Patches (..., channels * elements), channel by channel, to tokens (..., dims)."""
        return F.linear(patches, self.weight.flatten(1), self.bias)
