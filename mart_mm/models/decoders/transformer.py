"""The plain transformer decoder of masked autoencoders."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mart_mm.models.decoders.base import Decoder
from mart_mm.models.layers.positions import sinusoid_table
from mart_mm.models.layers.token_masking import replace_masked, restore_order
from mart_mm.models.layers.transformer import Block, init_transformer
from mart_mm.registry import MODELS


@MODELS.register_module()
class TransformerDecoder(Decoder):
    """Projection, mask tokens, fixed positions, blocks, norm (He et al., CVPR 2022).

    Args:
        in_dims: Width D of the encoder's tokens.
        num_tokens: Tokens N of a segment.
        with_mask_token: Whether the decoder inserts the mask token. Not so where the encoder already
            saw mask tokens: its outputs at hidden places are kept.
        dims: Width of the blocks (official MART: 512).
        depth: Blocks (8).
        num_heads: Attention heads (16).
    """

    def __init__(
        self,
        *,
        in_dims: int,
        num_tokens: int,
        with_mask_token: bool,
        dims: int = 512,
        depth: int = 8,
        num_heads: int = 16,
    ) -> None:
        super().__init__()
        self.dims = dims
        self.embed = nn.Linear(in_dims, dims)
        self.blocks = nn.ModuleList(Block(dims, num_heads=num_heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dims)
        self.mask_token = None
        if with_mask_token:
            self.mask_token = nn.Parameter(torch.empty(1, 1, dims))
            nn.init.trunc_normal_(self.mask_token, std=0.02)
        self.register_buffer('positions', sinusoid_table(num_tokens, dims), persistent=False)
        self.apply(init_transformer)

    def forward(self, tokens: Tensor, is_masked: Tensor, *, is_dropped: bool) -> Tensor:
        """Decode; see :class:`Decoder`."""
        x = self.embed(tokens)
        if is_dropped:
            x = restore_order(x, is_masked, self.mask_token)
        elif self.mask_token is not None:
            x = replace_masked(x, is_masked, self.mask_token)
        x = x + self.positions
        for block in self.blocks:
            x, _ = block(x)
        return self.norm(x)  # (BS, N, dims)
