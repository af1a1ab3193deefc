"""Multimodal Bottleneck Transformer (Nagrani et al., NeurIPS 2021), the paper's baseline."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mart_mm.models.backbones.base import (
    AffectiveBackbone,
    BackboneOutput,
    StreamOutput,
    join_streams,
)
from mart_mm.models.backbones.vit_stream import TransformerStream
from mart_mm.models.layers.present import for_segments
from mart_mm.registry import MODELS


@MODELS.register_module()
class MBT(AffectiveBackbone):
    """Two transformer streams that exchange information through a few bottleneck tokens.

    Until ``fusion_layer`` each stream runs alone. From there on each runs its own block on its tokens
    and the bottleneck; the new bottleneck is the mean of the two, over the modalities that are present.

    Args:
        visual: Config of a :class:`TransformerStream`, e.g. ``VideoViT``.
        audio: Config of a :class:`TransformerStream`, e.g. ``AudioSpectrogramTransformer``.
        num_bottlenecks: Bottleneck tokens (32 in MART's code, 4 in MBT's).
        fusion_layer: First block (from 0) that sees the bottleneck.
        init_cfg: MMEngine's initialisation config.

    Raises:
        TypeError: When a stream is no transformer.
        ValueError: When depths or widths differ, or ``fusion_layer`` is out of range.
    """

    def __init__(
        self,
        *,
        visual: dict,
        audio: dict,
        num_bottlenecks: int = 32,
        fusion_layer: int = 8,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(MODELS.build(visual), MODELS.build(audio), init_cfg)
        for name, stream in (('visual', self.visual), ('audio', self.audio)):
            if not isinstance(stream, TransformerStream):
                raise TypeError(
                    f'MBT.{name}={type(stream).__name__} is no transformer stream: '
                    'use TwoStreamBackbone for other encoders'
                )
        depth = len(self.visual.blocks)
        if len(self.audio.blocks) != depth:
            raise ValueError(
                f'visual depth {depth} and audio depth {len(self.audio.blocks)} differ: '
                'MBT fuses block by block'
            )
        if not 0 <= fusion_layer < depth:
            raise ValueError(f'fusion_layer={fusion_layer}: give a block from 0 to {depth - 1}')
        self.depth, self.fusion_layer = depth, fusion_layer
        self.bottleneck = nn.Parameter(torch.empty(1, num_bottlenecks, self.embed_dims))
        nn.init.trunc_normal_(self.bottleneck, std=0.02)

    def forward(
        self,
        imgs: Tensor,
        audios: Tensor,
        *,
        present: dict[str, Tensor] | None = None,
        visual_is_masked: Tensor | None = None,
        audio_is_masked: Tensor | None = None,
        mask_mode: str = 'drop',
        return_attention: bool = False,
    ) -> BackboneOutput:
        """Encode videos; see :class:`AffectiveBackbone`."""
        num_segments = imgs.shape[1]
        v = self.visual.embed(imgs.flatten(0, 1), visual_is_masked, mask_mode)  # (BS, 1+N, D)
        a = self.audio.embed(audios.flatten(0, 1), audio_is_masked, mask_mode)  # (BS, 2+M, D)
        for index in range(self.fusion_layer):
            v, _ = self.visual.run_block(index, v)
            a, _ = self.audio.run_block(index, a)
        visual, audio = self._fuse(v, a, self._share(present, num_segments), return_attention)
        return join_streams(dict(visual=visual, audio=audio), self)

    def _fuse(
        self, v: Tensor, a: Tensor, visual_share: Tensor | float, return_attention: bool
    ) -> tuple[StreamOutput, StreamOutput]:
        """Blocks from ``fusion_layer`` on, with the bottleneck behind the tokens of each stream."""
        length_v, length_a = v.shape[1], a.shape[1]
        bottleneck = self.bottleneck.expand(v.shape[0], -1, -1)  # (BS, bottlenecks, D)
        rows_v = rows_a = None
        for index in range(self.fusion_layer, self.depth):
            last = return_attention and index == self.depth - 1
            v, rows_v = self.visual.run_block(
                index, torch.cat([v, bottleneck], 1), self.visual.attention_rows if last else 0
            )
            a, rows_a = self.audio.run_block(
                index, torch.cat([a, bottleneck], 1), self.audio.attention_rows if last else 0
            )
            v, from_v = v[:, :length_v], v[:, length_v:]
            a, from_a = a[:, :length_a], a[:, length_a:]
            bottleneck = visual_share * from_v + (1 - visual_share) * from_a
        return self.visual.finish(v, rows_v), self.audio.finish(a, rows_a)

    @staticmethod
    def _share(present: dict[str, Tensor] | None, num_segments: int) -> Tensor | float:
        """Weight of the visual stream in the bottleneck's mean, (BS, 1, 1): 1/2, or all for a lone one."""
        if present is None:
            return 0.5
        v, a = present['visual'].float(), present['audio'].float()  # (B,)
        share = 0.5 * (1 + v - a)  # 1 without sound, 0 without picture, 1/2 with both
        return for_segments(share, num_segments)[:, None, None]
