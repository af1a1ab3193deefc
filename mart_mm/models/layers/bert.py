"""BERT's layer (post-norm), optionally with attention on another sequence, as ALBEF and TCL use it."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class BertAttention(nn.Module):
    """``norm(x + attention(x, context))``.

    Args:
        dims: Width of a token.
        num_heads: Number of heads, a divisor of ``dims``.
        context_dims: Width of what is attended to.
        dropout: Of the weights and of the output.
        norm_eps: Epsilon of the layer norm.

    Raises:
        ValueError: When ``dims`` is not a multiple of ``num_heads``.
    """

    def __init__(
        self, dims: int, *, num_heads: int, context_dims: int, dropout: float, norm_eps: float
    ) -> None:
        super().__init__()
        if dims % num_heads:
            raise ValueError(f'dims={dims} is not a multiple of num_heads={num_heads}')
        self.num_heads, self.dropout = num_heads, dropout
        self.query = nn.Linear(dims, dims)
        self.key = nn.Linear(context_dims, dims)
        self.value = nn.Linear(context_dims, dims)
        self.proj = nn.Linear(dims, dims)
        self.norm = nn.LayerNorm(dims, eps=norm_eps)

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)  # (B, heads, L, D/heads)

    def forward(self, x: Tensor, context: Tensor, is_valid: Tensor) -> Tensor:
        """Attend.

        Args:
            x: (B, L, D).
            context: (B, M, context_dims).
            is_valid: Bool (B, M), tokens of the context that are seen; at least one per row.
        """
        out = F.scaled_dot_product_attention(
            self._heads(self.query(x)),
            self._heads(self.key(context)),
            self._heads(self.value(context)),
            attn_mask=is_valid[:, None, None],
            dropout_p=self.dropout if self.training else 0.0,
        )
        out = self.proj(out.transpose(1, 2).flatten(2))
        return self.norm(x + F.dropout(out, self.dropout, self.training))


class BertLayer(nn.Module):
    """Attention on itself, optionally on a context, then an MLP; each followed by its norm.

    Args:
        dims: Width of a token.
        num_heads: Attention heads.
        context_dims: Width of the context, or None for a layer that has none.
        mlp_ratio: Hidden width of the MLP over ``dims``.
        dropout: After each part.
        norm_eps: Epsilon of the layer norms.
    """

    def __init__(
        self,
        dims: int,
        *,
        num_heads: int,
        context_dims: int | None = None,
        mlp_ratio: float = 4.0,
        dropout: float = 0.1,
        norm_eps: float = 1e-12,
    ) -> None:
        super().__init__()
        options = dict(num_heads=num_heads, dropout=dropout, norm_eps=norm_eps)
        self.attn = BertAttention(dims, context_dims=dims, **options)
        self.cross = None
        if context_dims is not None:
            self.cross = BertAttention(dims, context_dims=context_dims, **options)
        hidden = int(dims * mlp_ratio)
        self.mlp = nn.Sequential(
            nn.Linear(dims, hidden), nn.GELU(), nn.Linear(hidden, dims), nn.Dropout(dropout)
        )
        self.norm = nn.LayerNorm(dims, eps=norm_eps)

    def forward(
        self,
        x: Tensor,
        is_valid: Tensor,
        context: Tensor | None = None,
        context_is_valid: Tensor | None = None,
    ) -> Tensor:
        """Run the layer.

        Args:
            x: (B, L, D).
            is_valid: Bool (B, L).
            context: (B, M, context_dims); only for a layer that has one.
            context_is_valid: Bool (B, M).
        """
        x = self.attn(x, x, is_valid)
        if self.cross is not None:
            x = self.cross(x, context, context_is_valid)
        return self.norm(x + self.mlp(x))


def init_bert(module: nn.Module) -> None:
    """Initialise linear layers and embeddings as BERT does (normal of 0.02, zero biases).

    Args:
        module: Applied to each submodule by ``nn.Module.apply``.
    """
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
