"""Positions of a decoder's tokens."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

from mart_mm.models.layers.positions import sinusoid_table

KINDS = ('flat', 'axial', 'learned')


class GridPositions(nn.Module):
    """A vector for each token of a grid.

    Args:
        grid: Tokens along each axis; N is their product.
        dims: Width.
        kind: ``'flat'``: fixed sines and cosines of the token's number (VideoMAE). ``'axial'``: fixed
            ones of its place on each axis, which share the width (MAE, AudioMAE, MILAN). ``'learned'``:
            a learned vector for the place on the first axis plus one for that on the others
            (separable space and time; MAE-ST).

    Raises:
        ValueError: For another kind, or when ``dims`` is too small for the axes.
    """

    def __init__(self, grid: tuple[int, ...], dims: int, kind: str) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f'positions={kind!r}: choose one of {KINDS}')
        self.kind = kind
        if kind == 'learned':
            self.first = nn.Parameter(torch.empty(grid[0], 1, dims))
            self.others = nn.Parameter(torch.empty(1, prod(grid[1:]), dims))
            for table in (self.first, self.others):
                nn.init.trunc_normal_(table, std=0.02)
            return
        table = sinusoid_table(prod(grid), dims)[0] if kind == 'flat' else axial_table(grid, dims)
        self.register_buffer('table', table, persistent=False)

    def forward(self) -> Tensor:
        """(N, dims)."""
        if self.kind == 'learned':
            return (self.first + self.others).flatten(0, 1)
        return self.table


def axial_table(grid: tuple[int, ...], dims: int) -> Tensor:
    """Fixed sine-cosine positions, a share of the channels for each axis.

    Args:
        grid: Tokens along each axis.
        dims: Width, even; its pairs of channels are dealt out evenly, the first axes get what is left over.

    Returns:
        Float tensor (N, dims).

    Raises:
        ValueError: When an axis gets no pair of channels.
    """
    pairs, axes = dims // 2, len(grid)
    if dims % 2 or pairs < axes:
        raise ValueError(f'dims={dims}: axial positions need an even width of at least {2 * axes}')
    parts = []
    for axis, extent in enumerate(grid):
        width = 2 * (pairs // axes + (axis < pairs % axes))
        part = sinusoid_table(extent, width)[0]
        shape = [1] * axes + [width]
        shape[axis] = extent
        parts.append(part.view(shape).expand(*grid, width))
    return torch.cat(parts, -1).flatten(0, -2)
