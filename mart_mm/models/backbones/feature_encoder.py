"""Transformers over precomputed features, behind the contract of every backbone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.backbones.mbt import MBT
from mart_mm.models.backbones.vit_stream import TransformerStream
from mart_mm.models.layers.positions import sinusoid_table
from mart_mm.registry import MODELS


@MODELS.register_module()
class FeatureStream(TransformerStream):
    """Transformer over the N feature vectors of a segment, with a class token.

    Args:
        in_dims: Width of the features.
        num_tokens: N.
        embed_dims: Width D of the tokens.
        depth: Number of blocks.
        num_heads: Attention heads.
        mlp_ratio: Hidden width of the MLPs over D.
        drop_path: Stochastic depth.
        norm_eps: Epsilon of the layer norms.
        mask_token: Create the learned token that ``mask_mode='token'`` needs.
        with_cp: Activation checkpointing, see :class:`TransformerStream`.
    """

    def __init__(
        self,
        *,
        in_dims: int,
        num_tokens: int,
        embed_dims: int = 128,
        depth: int = 4,
        num_heads: int = 4,
        mlp_ratio: float = 4.0,
        drop_path: float = 0.0,
        norm_eps: float = 1e-6,
        mask_token: bool = False,
        with_cp: bool = False,
    ) -> None:
        shape = (num_tokens,)
        super().__init__(
            StreamSpec(shape, shape, (1,), (1,)),
            num_prefix=1,
            embed_dims=embed_dims,
            depth=depth,
            num_heads=num_heads,
            mlp_ratio=mlp_ratio,
            drop_path=drop_path,
            norm_eps=norm_eps,
            frozen_stages=0,
            mask_token=mask_token,
            pretrained=None,
            with_cp=with_cp,
        )
        self.in_dims = in_dims
        self.project = nn.Linear(in_dims, embed_dims)
        self.register_buffer('positions', sinusoid_table(num_tokens, embed_dims), persistent=False)
        self.cls_token = nn.Parameter(torch.empty(1, 1, embed_dims))
        nn.init.trunc_normal_(self.cls_token, std=0.02)
        if self.mask_token is not None:
            nn.init.trunc_normal_(self.mask_token, std=0.02)

    def cut_patches(self, x: Tensor) -> Tensor:
        """The features (BS, N, in_dims) themselves.

        Raises:
            ValueError: For features of another shape.
        """
        if tuple(x.shape[1:]) != (self.spec.num_tokens, self.in_dims):
            raise ValueError(
                f'segments of {tuple(x.shape[1:])} (tokens, dims) do not fit a FeatureStream built '
                f'for {(self.spec.num_tokens, self.in_dims)}: let num_tokens and in_dims agree with '
                'LoadFeatures'
            )
        return x

    def project_patches(self, patches: Tensor) -> Tensor:
        """See :class:`TransformerStream`."""
        return self.project(patches)

    def prefix_tokens(self) -> Tensor:
        """The class token; its position is zero."""
        return self.cls_token


@MODELS.register_module()
class FeatureEncoder(MBT):
    """Backbone for precomputed features: two feature streams that meet in bottleneck tokens.

    ``imgs`` and ``audios`` are float (B, S, N, in_dims), the tokens of both modalities. Everything
    else is as in MBT (Nagrani et al., NeurIPS 2021), so every pretext runs on it.

    Args:
        visual: Arguments of the visual :class:`FeatureStream`.
        audio: Arguments of the audio :class:`FeatureStream`, of the same width and depth.
        num_bottlenecks: Bottleneck tokens.
        fusion_layer: First block (from 0) that sees the bottleneck.
        init_cfg: MMEngine's initialisation config.
    """

    def __init__(
        self,
        *,
        visual: dict,
        audio: dict,
        num_bottlenecks: int = 4,
        fusion_layer: int = 2,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            visual=dict(type='FeatureStream', **visual),
            audio=dict(type='FeatureStream', **audio),
            num_bottlenecks=num_bottlenecks,
            fusion_layer=fusion_layer,
            init_cfg=init_cfg,
        )
