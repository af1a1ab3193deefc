"""The prompting decoder of MILAN (Hou et al., 2022)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mart_mm.models.decoders.base import DecodedTokens, Decoder, split_indices
from mart_mm.models.decoders.blocks import PromptedBlock
from mart_mm.models.decoders.positions import GridPositions
from mart_mm.models.layers.token_masking import gather_tokens, visible_indices
from mart_mm.models.layers.transformer import init_transformer
from mart_mm.registry import MODELS


@MODELS.register_module()
class PromptingDecoder(Decoder):
    """Only mask tokens are decoded; the encoder's tokens are keys and values that stay as they are.

    Visible tokens and the class token leave it as they came, projected and normed. What an encoder
    says at hidden places is not read.

    Args:
        in_dims: Width D of the encoder's tokens.
        grid: Tokens along each axis.
        with_mask_token: Not used: it always inserts mask tokens.
        dims: Width of the blocks.
        depth: Blocks.
        num_heads: Attention heads.
        positions: ``'flat'``, ``'axial'`` or ``'learned'``, see :class:`GridPositions`.
    """

    def __init__(
        self,
        *,
        in_dims: int,
        grid: tuple[int, ...],
        with_mask_token: bool,
        dims: int = 512,
        depth: int = 8,
        num_heads: int = 16,
        positions: str = 'axial',
    ) -> None:
        super().__init__()
        self.dims = dims
        self.embed = nn.Linear(in_dims, dims)
        self.positions = GridPositions(grid, dims, positions)
        self.blocks = nn.ModuleList(PromptedBlock(dims, num_heads=num_heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dims, eps=1e-6)
        self.mask_token = nn.Parameter(torch.empty(1, 1, dims))
        nn.init.trunc_normal_(self.mask_token, std=0.02)
        self.apply(init_transformer)

    def forward(
        self,
        tokens: Tensor,
        embed: Tensor,
        is_masked: Tensor,
        *,
        is_dropped: bool,
        index: Tensor | None = None,
        with_visible: bool = True,
    ) -> DecodedTokens:
        """Decode; see :class:`Decoder`.

        Where hidden tokens were not dropped, it needs their number, see
        :func:`mart_mm.models.layers.token_masking.visible_indices`.
        """
        if not is_dropped:
            tokens = gather_tokens(tokens, visible_indices(is_masked))
        first, hidden = split_indices(is_masked, tokens.shape[1])
        if index is not None:
            hidden = index
        positions = self.positions()
        visible = self.embed(tokens) + F.embedding(first, positions)
        prompt = torch.cat([self.embed(embed)[:, None].to(visible.dtype), visible], 1)
        x = self.mask_token + F.embedding(hidden, positions)  # (BS, hidden, dims)
        for block in self.blocks:
            x = block(x, prompt)
        if index is not None or not with_visible:
            return DecodedTokens(self.norm(x), hidden)
        x = self.norm(torch.cat([prompt, x], 1))
        return DecodedTokens(x[:, 1:], torch.cat([first, hidden], 1), first.shape[1], x[:, 0])
