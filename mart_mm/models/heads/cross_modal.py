"""How the segments of a video see each other in CTEN: within a modality, and across two."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mart_mm.models.layers.present import RowBatchNorm


class NonLocalSegments(nn.Module):
    """Non-local block over the segments of one modality, as CTEN's code has it.

    The attended features pass a batch norm; the input is added with a learned weight that starts
    at 0.

    Args:
        dims: Width D of the features.
        inner_dims: Width of query, key and value.
    """

    def __init__(self, dims: int, inner_dims: int = 256) -> None:
        super().__init__()
        self.query, self.value = nn.Linear(dims, inner_dims), nn.Linear(dims, inner_dims)
        self.key = nn.Linear(dims, inner_dims, bias=False)  # a bias would cancel in the softmax
        self.out, self.norm = nn.Linear(inner_dims, dims), RowBatchNorm(dims)
        self.alpha = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, S, D) to (B, S, D)."""
        query, key, value = self.query(x), self.key(x), self.value(x)
        scores = query @ key.transpose(1, 2) * query.shape[-1] ** -0.5  # (B, S, S)
        mixed = scores.float().softmax(-1).to(value.dtype) @ value
        return self.norm(self.out(mixed)) + self.alpha * x


class CrossAttention(nn.Module):
    """Multi-head attention of one modality's segments on another's, ReLU after each projection.

    Args:
        dims: Width D of the features.
        num_heads: Number of heads, a divisor of ``dims``.

    Raises:
        ValueError: When ``dims`` is not a multiple of ``num_heads``.
    """

    def __init__(self, dims: int, num_heads: int = 8) -> None:
        super().__init__()
        if dims % num_heads:
            raise ValueError(f'dims={dims} is not a multiple of num_heads={num_heads}')
        self.num_heads = num_heads
        self.query, self.key = nn.Linear(dims, dims), nn.Linear(dims, dims)
        self.value, self.out = nn.Linear(dims, dims), nn.Linear(dims, dims)

    def forward(self, queries: Tensor, x: Tensor) -> Tensor:
        """Features (B, S, D) of ``x`` (B, S, D) that ``queries`` (B, S, D) look for."""
        q, k, v = (
            layer(y).relu().unflatten(-1, (self.num_heads, -1)).transpose(1, 2)  # (B, H, S, D/H)
            for layer, y in ((self.query, queries), (self.key, x), (self.value, x))
        )
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.out(mixed.transpose(1, 2).flatten(2)).relu()
