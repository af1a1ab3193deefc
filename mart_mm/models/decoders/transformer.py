"""The plain transformer decoder of masked autoencoders."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mart_mm.models.decoders.base import DecodedTokens, Decoder, split_indices
from mart_mm.models.decoders.blocks import TrailingBlock
from mart_mm.models.decoders.positions import GridPositions
from mart_mm.models.layers.token_masking import (
    gather_tokens,
    known_counts,
    replace_masked,
    visible_indices,
)
from mart_mm.models.layers.transformer import Block, init_transformer
from mart_mm.registry import MODELS

CLASS_TOKENS = (None, 'encoder', 'own')


@MODELS.register_module()
class TransformerDecoder(Decoder):
    """Projection, mask tokens, positions, blocks, norm (He et al., CVPR 2022).

    Tokens stay in the order visible, hidden: attention does not mind, and what is not asked for can be
    left out of the last block. With an ``index`` the encoder's visible tokens are followed by mask tokens
    for exactly these places (VideoMAE V2: Wang et al., CVPR 2023).

    Args:
        in_dims: Width D of the encoder's tokens.
        grid: Tokens along each axis.
        with_mask_token: Whether the decoder inserts the mask token. Not so where the encoder already
            saw mask tokens: its outputs at hidden places are kept.
        dims: Width of the blocks (official MART: 512; VideoMAE: 384).
        depth: Blocks (8; VideoMAE and MAE-ST: 4).
        num_heads: Attention heads (16; VideoMAE: 6).
        embed_bias: Whether the projection has a bias (VideoMAE: False).
        positions: ``'flat'``, ``'axial'`` or ``'learned'``, see :class:`GridPositions`.
        class_token: ``'encoder'``: the encoder's feature of the segment takes part (AudioMAE);
            ``'own'``: a learned token does (MAE-ST); or None.

    Raises:
        ValueError: For a ``depth`` below 1, unknown ``positions`` or ``class_token``.
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
        embed_bias: bool = True,
        positions: str = 'flat',
        class_token: str | None = None,
    ) -> None:
        super().__init__()
        if depth < 1:
            raise ValueError(f'depth={depth}: give at least 1, or use LinearDecoder')
        if class_token not in CLASS_TOKENS:
            raise ValueError(f'class_token={class_token!r}: choose one of {CLASS_TOKENS}')
        self.dims, self.class_token = dims, class_token
        self.embed = nn.Linear(in_dims, dims, bias=embed_bias)
        self.positions = GridPositions(grid, dims, positions)
        self.blocks = nn.ModuleList(Block(dims, num_heads=num_heads) for _ in range(depth - 1))
        self.blocks.append(TrailingBlock(dims, num_heads=num_heads))
        self.norm = nn.LayerNorm(dims, eps=1e-6)
        self.mask_token = nn.Parameter(torch.empty(1, 1, dims)) if with_mask_token else None
        self.own_token = nn.Parameter(torch.empty(1, 1, dims)) if class_token == 'own' else None
        for token in (self.mask_token, self.own_token):
            if token is not None:
                nn.init.trunc_normal_(token, std=0.02)
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

        Where hidden tokens were not dropped, an ``index`` makes it need their number, see
        :func:`mart_mm.models.layers.token_masking.visible_indices`.
        """
        if not is_dropped and (index is not None or self._can_drop(is_masked, with_visible)):
            tokens, is_dropped = gather_tokens(tokens, visible_indices(is_masked)), True
        if is_dropped:
            x, order, num_visible = self._insert(self.embed(tokens), is_masked, index)
        else:
            x, order, num_visible = self.embed(tokens), None, 0
            if self.mask_token is not None:
                x = replace_masked(x, is_masked, self.mask_token)
            x = x + self.positions()
        class_token = self._class_token(embed)
        if class_token is not None:
            x = torch.cat([class_token.to(x.dtype), x], 1)
        for block in self.blocks[:-1]:
            x, _ = block(x)
        if order is None or (with_visible and index is None):
            x = self.norm(self.blocks[-1](x, x.shape[1]))
            if class_token is None:
                return DecodedTokens(x, order, num_visible)
            return DecodedTokens(x[:, 1:], order, num_visible, x[:, 0])
        hidden = order[:, num_visible:]
        return DecodedTokens(self.norm(self.blocks[-1](x, hidden.shape[1])), hidden)

    def _can_drop(self, is_masked: Tensor, with_visible: bool) -> bool:
        """Whether mask tokens can follow the visible ones, so that the last block leaves these out."""
        counts = known_counts(is_masked)
        return (
            self.mask_token is not None
            and not with_visible
            and counts is not None
            and min(counts) == max(counts) > 0
        )

    def _insert(
        self, visible: Tensor, is_masked: Tensor, index: Tensor | None
    ) -> tuple[Tensor, Tensor, int]:
        """Visible tokens (BS, visible, dims) followed by mask tokens, with positions.

        Returns:
            The sequence (BS, n, dims), the places of its tokens (BS, n), and how many are visible.
        """
        first, hidden = split_indices(is_masked, visible.shape[1])
        if index is not None:
            hidden = index
        order = torch.cat([first, hidden], 1)
        masks = self.mask_token.to(visible.dtype).expand(*hidden.shape, -1)
        x = torch.cat([visible, masks], 1) + F.embedding(order, self.positions())
        return x, order, first.shape[1]

    def _class_token(self, embed: Tensor) -> Tensor | None:
        """The token in front of the others, (BS, 1, dims), or None."""
        if self.class_token == 'encoder':
            return self.embed(embed)[:, None]
        if self.class_token == 'own':
            return self.own_token.expand(len(embed), -1, -1)
        return None
