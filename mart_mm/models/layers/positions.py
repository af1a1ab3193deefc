"""Position embeddings of token grids."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def sinusoid_table(num_positions: int, dims: int) -> Tensor:
    """Fixed sine-cosine table over flattened positions (Vaswani et al., 2017; as VideoMAE uses it).

    Even channels hold sines, odd ones cosines; channels ``2i`` and ``2i+1`` share a frequency.

    Args:
        num_positions: Number of tokens.
        dims: Width of a token.

    Returns:
        Float tensor (1, num_positions, dims).
    """
    position = torch.arange(num_positions, dtype=torch.float64)[:, None]
    channel = torch.arange(dims, dtype=torch.float64)
    angle = position / 10000 ** (2 * (channel // 2) / dims)
    table = torch.where(channel % 2 == 0, angle.sin(), angle.cos())
    return table.float()[None]


def fit_grid(table: Tensor, grid: tuple[int, int], new_grid: tuple[int, int]) -> Tensor:
    """Fit learned positions of a 2-D token grid to another one, axis by axis.

    An axis that is longer than needed is cut to its middle, one that is shorter is interpolated
    (bilinear), as AST does for spectrograms of another length.

    Args:
        table: (1, rows * columns, D), row-major.
        grid: The (rows, columns) that ``table`` was made for.
        new_grid: The wanted (rows, columns).

    Returns:
        (1, new rows * new columns, D).
    """
    picture = table.unflatten(1, grid).permute(0, 3, 1, 2)  # (1, D, rows, columns)
    for axis, (old, new) in enumerate(zip(grid, new_grid, strict=True), start=2):
        if old > new:
            picture = picture.narrow(axis, (old - new) // 2, new)
    if tuple(picture.shape[2:]) != tuple(new_grid):
        picture = F.interpolate(picture, size=new_grid, mode='bilinear', align_corners=False)
    return picture.flatten(2).transpose(1, 2)
