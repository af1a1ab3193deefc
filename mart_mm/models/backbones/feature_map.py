"""Any convolutional or transformer backbone that returns a feature map, as one stream."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mart_mm.models.backbones.base import StreamEncoder, StreamOutput, StreamSpec
from mart_mm.models.layers.token_masking import check_mask_mode, replace_masked
from mart_mm.registry import MODELS

LAYOUTS = ('3d', '2d')


@MODELS.register_module()
class FeatureMapStream(StreamEncoder):
    """Tokens are the cells of the encoder's last feature map, projected to one width.

    Such an encoder cannot drop tokens, so masking happens on its feature map: hidden cells are
    replaced by a learned token after the encoder, whatever the mask mode. The segment's feature is
    the mean of the tokens; its attention on them is their softmax similarity to it.

    Args:
        encoder: Config of a backbone that returns a feature map or a tuple of them, e.g.
            ``dict(type='mmaction.ResNet3dSlowOnly', ...)`` or, with ``layout='2d'``,
            ``dict(type='mmaction.ResNet', ...)``.
        input_shape: (T, H, W) of a segment's frames, or (mel bins, F) of its log-mel.
        embed_dims: Width D of the tokens.
        layout: ``'3d'``: the encoder takes (BS, 3, T, H, W); ``'2d'``: each frame, or the log-mel
            picture, is encoded on its own as (n, in_channels, H, W).
        in_channels: Channels that a 2-D encoder expects; one log-mel channel is repeated to it.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: When the encoder returns no feature map, for an unknown ``layout``, or when a 2-D
            encoder that shares channels between frames (TSM) expects another number of them.
    """

    can_drop = False

    def __init__(
        self,
        *,
        encoder: dict,
        input_shape: tuple[int, ...],
        embed_dims: int = 768,
        layout: str = '3d',
        in_channels: int = 3,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if layout not in LAYOUTS:
            raise ValueError(f'layout={layout!r}: choose one of {LAYOUTS}')
        self.embed_dims, self.layout, self.in_channels = embed_dims, layout, in_channels
        self.encoder = MODELS.build(encoder)
        shared = getattr(self.encoder, 'num_segments', None)
        if len(input_shape) == 3 and layout == '2d' and shared not in (None, input_shape[0]):
            raise ValueError(
                f'encoder.num_segments={shared} frames share channels, but a segment has '
                f'{input_shape[0]}: set encoder.num_segments={input_shape[0]}'
            )
        feature_dims, grid = self._probe(tuple(input_shape))
        patch = tuple(-(-extent // cells) for extent, cells in zip(input_shape, grid, strict=True))
        self.spec = StreamSpec(tuple(input_shape), grid, patch, patch)
        self.project = nn.Linear(feature_dims, embed_dims)
        self.norm = nn.LayerNorm(embed_dims)
        self.mask_token = nn.Parameter(torch.empty(1, 1, embed_dims))
        nn.init.trunc_normal_(self.mask_token, std=0.02)

    @torch.no_grad()
    def _probe(self, input_shape: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
        """Width and grid of the feature map, found by encoding one empty segment."""
        was_training = self.encoder.training
        self.encoder.eval()
        empty = torch.zeros(1, 3, *input_shape) if len(input_shape) == 3 else None
        if empty is None:
            empty = torch.zeros(1, *input_shape[::-1])  # log-mel, time first
        features = self._features(empty)
        self.encoder.train(was_training)
        return features.shape[1], tuple(features.shape[2:])

    def _features(self, x: Tensor) -> Tensor:
        """Feature map (BS, channels, *grid) of frames (BS, 3, T, H, W) or log-mel (BS, F, mel bins)."""
        if x.ndim == 3:  # log-mel as a picture (BS, in_channels, mel bins, F)
            return self._last_map(
                x.transpose(1, 2)[:, None].expand(-1, self.in_channels, -1, -1), 4
            )
        if self.layout == '3d':
            return self._last_map(x, 5)
        frames = x.transpose(1, 2)  # (BS, T, 3, H, W)
        features = self._last_map(frames.flatten(0, 1), 4)
        return features.unflatten(0, frames.shape[:2]).transpose(1, 2)  # (BS, channels, T, h, w)

    def _last_map(self, x: Tensor, ndim: int) -> Tensor:
        features = self.encoder(x)
        if isinstance(features, (tuple, list)):
            features = features[-1]
        if features.ndim != ndim:
            raise ValueError(
                f'{type(self.encoder).__name__} returned shape {tuple(features.shape)} where a '
                f'{ndim}-dimensional feature map is needed: turn off its pooling (for mmaction2: '
                'return_feat_map=True) or choose the other layout'
            )
        return features

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
        tokens = self.project(self._features(x).flatten(2).transpose(1, 2))  # (BS, N, D)
        if is_masked is not None:
            tokens = replace_masked(tokens, is_masked, self.mask_token)
        tokens = self.norm(tokens)
        embed = tokens.mean(1)
        attention = None
        if return_attention:
            scores = torch.einsum('bnd,bd->bn', tokens, embed) * self.embed_dims**-0.5
            attention = scores.float().softmax(-1)
        return StreamOutput(tokens, embed, attention)
