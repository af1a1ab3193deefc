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


def interpolate_grid(table: Tensor, grid: tuple[int, int], new_grid: tuple[int, int]) -> Tensor:
    """Resize learned positions of a 2-D token grid (bilinear, as AST does for other lengths).

    Args:
        table: (1, rows * columns, D), row-major.
        grid: The (rows, columns) that ``table`` was made for.
        new_grid: The wanted (rows, columns).

    Returns:
        (1, new rows * new columns, D).
    """
    if grid == new_grid:
        return table
    picture = table.unflatten(1, grid).permute(0, 3, 1, 2)  # (1, D, rows, columns)
    picture = F.interpolate(picture, size=new_grid, mode='bilinear', align_corners=False)
    return picture.flatten(2).transpose(1, 2)
