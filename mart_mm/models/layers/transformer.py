"""Pre-norm transformer block, shared by every encoder and decoder of the package."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Multi-head self-attention on ``scaled_dot_product_attention``.

    Keys have no bias: it would add the same number to every score of a query, which softmax ignores.

    Args:
        dims: Width of a token.
        num_heads: Number of heads, a divisor of ``dims``.

    Raises:
        ValueError: When ``dims`` is not a multiple of ``num_heads``.
    """

    def __init__(self, dims: int, *, num_heads: int) -> None:
        super().__init__()
        if dims % num_heads:
            raise ValueError(f'dims={dims} is not a multiple of num_heads={num_heads}')
        self.num_heads = num_heads
        self.qkv = nn.Linear(dims, 3 * dims, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(dims))
        self.v_bias = nn.Parameter(torch.zeros(dims))
        self.proj = nn.Linear(dims, dims)

    def _heads(self, x: Tensor) -> Tensor:
        """(B, L, D) to (B, H, L, D/H)."""
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

    def forward(self, x: Tensor, attention_rows: int = 0) -> tuple[Tensor, Tensor | None]:
        """Attend.

        Args:
            x: (B, L, D).
            attention_rows: Return the head-averaged attention of this many leading queries.

        Returns:
            Output (B, L, D), and the attention (B, attention_rows, L) or None.
        """
        bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        qkv = F.linear(x, self.qkv.weight, bias)  # (B, L, 3D)
        q, k, v = map(self._heads, qkv.chunk(3, -1))
        out = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)  # (B, L, D)
        rows = None
        if attention_rows:
            scores = q[:, :, :attention_rows] @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
            rows = scores.float().softmax(-1).mean(1)  # (B, rows, L)
        return self.proj(out), rows


class DropPath(nn.Module):
    """Stochastic depth per sample (Huang et al., 2016).

    Args:
        rate: Probability that a sample skips the branch, in training.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Keep or zero whole samples of (B, ...), rescaled to the same mean."""
        if not self.training or self.rate == 0:
            return x
        keep = x.new_empty((x.shape[0],) + (1,) * (x.ndim - 1)).bernoulli_(1 - self.rate)
        return x * keep / (1 - self.rate)


class Block(nn.Module):
    """``x + attention(norm(x))``, then ``x + mlp(norm(x))``.

    Args:
        dims: Width of a token.
        num_heads: Attention heads.
        mlp_ratio: Hidden width of the MLP over ``dims``.
        drop_path: Stochastic depth rate.
        norm_eps: Epsilon of the layer norms.
    """

    def __init__(
        self,
        dims: int,
        *,
        num_heads: int,
        mlp_ratio: float = 4.0,
        drop_path: float = 0.0,
        norm_eps: float = 1e-6,
    ) -> None:
        super().__init__()
        hidden = int(dims * mlp_ratio)
        self.norm1 = nn.LayerNorm(dims, eps=norm_eps)
        self.attn = Attention(dims, num_heads=num_heads)
        self.norm2 = nn.LayerNorm(dims, eps=norm_eps)
        self.mlp = nn.Sequential(nn.Linear(dims, hidden), nn.GELU(), nn.Linear(hidden, dims))
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, attention_rows: int = 0) -> tuple[Tensor, Tensor | None]:
        """Run the block.

        Args:
            x: (B, L, D).
            attention_rows: As in :class:`Attention`.

        Returns:
            (B, L, D), and the attention of the leading queries or None.
        """
        branch, rows = self.attn(self.norm1(x), attention_rows)
        x = x + self.drop_path(branch)
        return x + self.drop_path(self.mlp(self.norm2(x))), rows


def init_transformer(module: nn.Module) -> None:
    """Initialise linear layers and norms as VideoMAE does (Xavier weights, zero biases).

    Args:
        module: Applied to each submodule by ``nn.Module.apply``.
    """
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
