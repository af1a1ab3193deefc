"""Words look for what they name in the tokens of one modality."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from mart_mm.registry import MODELS


class LexiconAware(NamedTuple):
    """Result of the lexicon attention for ``BS`` segments with ``K`` words and ``N`` tokens.

    Attributes:
        features: (BS, K, D), lexicon-aware features, ``x^{v->l}`` of Eq. 4.
        projected: (BS, K, Dl), the same in the words' space, ``x_s^{v->l}``.
        attention: (BS, K, N), mean over heads (Eq. 6).
    """

    features: Tensor
    projected: Tensor
    attention: Tensor


@MODELS.register_module()
class LexiconAttention(nn.Module):
    """Multi-head attention of words on tokens within a segment (paper Eq. 4).

    Segments lie in the batch axis, which is the paper's temporal window: a word sees only the tokens
    of its own segment. Weights are kept because masking ranks tokens by them.

    Args:
        dims: Width D of the tokens.
        text_dims: Width Dl of the words.
        num_heads: Heads H.
        qkv_act: ``None`` (paper), or ``'relu'`` after each projection (official code).

    Raises:
        ValueError: When ``dims`` is no multiple of ``num_heads``, or for another ``qkv_act``.
    """

    def __init__(
        self, *, dims: int, text_dims: int, num_heads: int = 8, qkv_act: str | None = None
    ) -> None:
        super().__init__()
        if dims % num_heads:
            raise ValueError(f'dims={dims} is not a multiple of num_heads={num_heads}')
        if qkv_act not in (None, 'relu'):
            raise ValueError(f"qkv_act={qkv_act!r}: choose None or 'relu'")
        self.num_heads = num_heads
        self.act = nn.ReLU() if qkv_act else nn.Identity()
        self.norm_words, self.norm_tokens = nn.LayerNorm(text_dims), nn.LayerNorm(dims)
        self.query = nn.Linear(text_dims, dims)
        self.key = nn.Linear(dims, dims, bias=False)  # a bias would cancel in the softmax
        self.value, self.out = nn.Linear(dims, dims), nn.Linear(dims, dims)
        self.project = nn.Sequential(nn.Linear(dims, dims), nn.GELU(), nn.Linear(dims, text_dims))

    def forward(self, words: Tensor, tokens: Tensor) -> LexiconAware:
        """Attend.

        Args:
            words: (BS, K, Dl).
            tokens: (BS, N, D).
        """
        words, tokens = self.norm_words(words), self.norm_tokens(tokens)
        q, k, v = (
            self.act(x).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)  # (BS, H, ., D/H)
            for x in (self.query(words), self.key(tokens), self.value(tokens))
        )
        scores = (q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5).float()
        attention = scores.softmax(-1)  # (BS, H, K, N)
        mixed = (attention.to(v.dtype) @ v).transpose(1, 2).flatten(2)
        features = self.act(self.out(mixed))
        return LexiconAware(features, self.project(features), attention.mean(1))


def token_relevance(attention: Tensor, is_valid: Tensor) -> Tensor:
    """Mean attention of a segment's valid words on its tokens.

    Args:
        attention: (BS, K, N).
        is_valid: Bool (BS, K).

    Returns:
        (BS, N); zero where a segment has no valid word.
    """
    weight = is_valid.to(attention.dtype)
    total = torch.einsum('bkn,bk->bn', attention, weight)
    return total / weight.sum(1, keepdim=True).clamp(min=1)


def masking_scores(
    own: Tensor, words: Tensor, is_verified: Tensor, self_attention_share: float
) -> Tensor:
    """Relevance of each token for masking (Eq. 6).

    Args:
        own: (BS, N), attention of the segment's own feature.
        words: (BS, K, N), attention of the words.
        is_verified: Bool (BS, K), words that count.
        self_attention_share: Weight of ``own`` in segments with such words; in others it is all.

    Returns:
        (BS, N).
    """
    mixed = self_attention_share * own + (1 - self_attention_share) * token_relevance(
        words, is_verified
    )
    return torch.where(is_verified.any(1, keepdim=True), mixed, own)
