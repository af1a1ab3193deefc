"""Transformer blocks in which only some tokens ask."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mart_mm.models.layers.transformer import Attention, Block


class QueryAttention(Attention):
    """Attention of some tokens on others, with the parameters of :class:`Attention`."""

    def forward(self, queries: Tensor, context: Tensor) -> Tensor:
        """Attend.

        Args:
            queries: (B, Q, D).
            context: (B, L, D), what keys and values are made of.

        Returns:
            (B, Q, D).
        """
        dims = queries.shape[-1]
        query_weight, other_weight = self.qkv.weight.split((dims, 2 * dims))
        q = self._heads(F.linear(queries, query_weight, self.q_bias))
        bias = torch.cat([torch.zeros_like(self.v_bias), self.v_bias])
        k, v = map(self._heads, F.linear(context, other_weight, bias).chunk(2, -1))
        out = F.scaled_dot_product_attention(q, k, v)
        return self.proj(out.transpose(1, 2).flatten(2))


class TrailingBlock(Block):
    """:class:`Block` that returns trailing tokens only, and computes nothing for the others.

    Args:
        dims: Width of a token.
        num_heads: Attention heads.
    """

    def __init__(self, dims: int, *, num_heads: int) -> None:
        super().__init__(dims, num_heads=num_heads)
        self.attn = QueryAttention(dims, num_heads=num_heads)

    def forward(self, x: Tensor, num_queries: int) -> Tensor:
        """The last ``num_queries`` tokens of (B, L, D), all of them seen: (B, num_queries, D)."""
        normed, start = self.norm1(x), x.shape[1] - num_queries
        x = x[:, start:] + self.attn(normed[:, start:], normed)
        return x + self.mlp(self.norm2(x))


class PromptedBlock(Block):
    """:class:`Block` that also sees tokens which no block changes (Hou et al., 2022).

    They enter keys and values as they are, without norm, as in the authors' code.

    Args:
        dims: Width of a token.
        num_heads: Attention heads.
    """

    def __init__(self, dims: int, *, num_heads: int) -> None:
        super().__init__(dims, num_heads=num_heads)
        self.attn = QueryAttention(dims, num_heads=num_heads)

    def forward(self, x: Tensor, prompt: Tensor) -> Tensor:
        """Tokens (B, L, D) that see themselves and the prompt (B, P, D)."""
        normed = self.norm1(x)
        x = x + self.attn(normed, torch.cat([prompt, normed], 1))
        return x + self.mlp(self.norm2(x))
