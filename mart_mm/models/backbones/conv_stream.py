"""Convolutional streams as the baselines' papers have them."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from mart_mm.models.backbones.base import (
    StreamOutput,
)
from mart_mm.models.backbones.feature_map import FeatureMapStream
from mart_mm.models.layers.token_masking import check_mask_mode, replace_masked
from mart_mm.registry import MODELS


@MODELS.register_module()
class ConvStream(FeatureMapStream):
    """Tokens are the cells of the encoder's last feature map as they are.

    Where :class:`FeatureMapStream` projects and normalises, here a linear layer stands only where
    the widths differ. It commutes with the mean that makes the segment's feature, so a classifier
    behind it is the papers' classifier on the pooled map.

    Args:
        encoder: Config of a convolutional network that returns a feature map.
        input_shape: (T, H, W) of a segment's frames, or (mel bins, F) of its log-mel.
        embed_dims: Width D of the tokens.
        layout: See :class:`FeatureMapStream`.
        in_channels: See :class:`FeatureMapStream`.
        init_cfg: MMEngine's initialisation config.
    """

    def __init__(
        self,
        *,
        encoder: dict,
        input_shape: tuple[int, ...],
        embed_dims: int,
        layout: str = '3d',
        in_channels: int = 1,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            encoder=encoder,
            input_shape=input_shape,
            embed_dims=embed_dims,
            layout=layout,
            in_channels=in_channels,
            init_cfg=init_cfg,
        )
        self.norm = nn.Identity()
        self.project = self.build_projection(self.project.in_features)

    def build_projection(self, feature_dims: int) -> nn.Module:
        """From the map's cells (BS, N, channels) to tokens (BS, N, D)."""
        if feature_dims == self.embed_dims:
            return nn.Identity()
        return nn.Linear(feature_dims, self.embed_dims)

    @torch.no_grad()
    def _probe(self, input_shape: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
        """Width and grid of the feature map, found without computing anything."""
        shape = (3, *input_shape) if len(input_shape) == 3 else input_shape[::-1]
        encoder = self.encoder
        self.encoder = copy.deepcopy(encoder).to('meta')
        self.encoder.eval()
        features = self._features(torch.empty(1, *shape, device='meta'))
        self.encoder = encoder
        return features.shape[1], tuple(features.shape[2:])

    def pool(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """The segment's feature and its attention on the tokens.

        Args:
            tokens: (BS, N, D).

        Returns:
            The mean (BS, D), and the softmax similarity (BS, N) of the tokens with it.
        """
        embed = tokens.mean(1)
        scores = torch.einsum('bnd,bd->bn', tokens, embed) * self.embed_dims**-0.5
        return embed, scores.float().softmax(-1)

    def finish(self, features: Tensor, is_masked: Tensor | None = None) -> StreamOutput:
        """From a feature map to the stream's output.

        Args:
            features: (BS, channels, *grid).
            is_masked: Bool (BS, N); hidden cells become the learned token.
        """
        tokens = self.project(features.flatten(2).transpose(1, 2))
        if is_masked is not None:
            tokens = replace_masked(tokens, is_masked, self.mask_token)
        return StreamOutput(tokens, *self.pool(tokens))

    def forward(
        self,
        x: Tensor,
        *,
        is_masked: Tensor | None = None,
        mask_mode: str = 'drop',
        return_attention: bool = False,
    ) -> StreamOutput:
        """Encode segments; see :class:`StreamEncoder`. Tokens are never dropped."""
        check_mask_mode(mask_mode)
        output = self.finish(self._features(x), is_masked)
        return output if return_attention else output._replace(attention=None)
