"""The contract of a two-stream backbone and of the encoders it is made of.

Legend: ``B`` videos, ``S`` segments, ``T`` frames per segment, ``N``/``M`` visual/audio tokens per
segment, ``D`` width. (B, S) is folded in that order, for every modality.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

from mmengine.model import BaseModule
from torch import Tensor, nn


@dataclass(frozen=True)
class StreamSpec:
    """Geometry of one stream, read by maskers, decoders and targets.

    Attributes:
        input_shape: (T, H, W) of a segment's frames, or (mel bins, F) of its log-mel.
        grid: Tokens along the same axes: (t, h, w), or (frequency, time).
        patch: Extent of a token along these axes, in input elements.
        stride: Distance of neighbouring tokens, in input elements.
    """

    input_shape: tuple[int, ...]
    grid: tuple[int, ...]
    patch: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def num_tokens(self) -> int:
        """Tokens per segment."""
        count = 1
        for extent in self.grid:
            count *= extent
        return count


class StreamOutput(NamedTuple):
    """What one stream returns for ``BS`` segments.

    Attributes:
        tokens: (BS, N, D); only the visible ones where tokens were dropped.
        embed: (BS, D), the segment's feature.
        attention: (BS, N) attention of the segment's feature on its tokens, or None.
    """

    tokens: Tensor
    embed: Tensor
    attention: Tensor | None


class StreamEncoder(BaseModule, ABC):
    """Encoder of one modality.

    Attributes:
        embed_dims: Width D of its tokens.
        spec: Geometry of its tokens.
        can_drop: Whether ``mask_mode='drop'`` is possible.
    """

    embed_dims: int
    spec: StreamSpec
    can_drop: bool

    @abstractmethod
    def forward(
        self,
        x: Tensor,
        *,
        is_masked: Tensor | None = None,
        mask_mode: str = 'drop',
        return_attention: bool = False,
    ) -> StreamOutput:
        """Encode segments.

        Args:
            x: (BS, 3, T, H, W) frames or (BS, F, mel bins) log-mel, normalised.
            is_masked: Bool (BS, N), True where a token is hidden.
            mask_mode: ``'drop'`` or ``'token'``.
            return_attention: Fill ``attention``.
        """


class BackboneOutput(NamedTuple):
    """What a two-stream backbone returns for ``BS`` segments.

    Attributes:
        visual_tokens: (BS, N, D); only the visible ones where tokens were dropped.
        audio_tokens: (BS, M, D), likewise.
        visual_embed: (BS, D).
        audio_embed: (BS, D).
        visual_grid: (t, h, w).
        audio_grid: (frequency, time).
        visual_attention: (BS, N) or None.
        audio_attention: (BS, M) or None.
    """

    visual_tokens: Tensor
    audio_tokens: Tensor
    visual_embed: Tensor
    audio_embed: Tensor
    visual_grid: tuple[int, ...]
    audio_grid: tuple[int, ...]
    visual_attention: Tensor | None = None
    audio_attention: Tensor | None = None


class AffectiveBackbone(BaseModule, ABC):
    """Backbone of two streams, ``visual`` and ``audio``, of one width.

    Args:
        visual: The frames' encoder.
        audio: The sound's encoder.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: When the two widths differ.
    """

    def __init__(
        self, visual: StreamEncoder, audio: StreamEncoder, init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg)
        if visual.embed_dims != audio.embed_dims:
            raise ValueError(
                f'visual.embed_dims={visual.embed_dims} and audio.embed_dims={audio.embed_dims} '
                'differ: give both streams the same width'
            )
        self.visual, self.audio = visual, audio

    @property
    def embed_dims(self) -> int:
        """Width D of all tokens and embeddings."""
        return self.visual.embed_dims

    @property
    def streams(self) -> dict[str, StreamSpec]:
        """Geometry of each stream by modality."""
        return {'visual': self.visual.spec, 'audio': self.audio.spec}

    @abstractmethod
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
        """Encode videos.

        Args:
            imgs: (B, S, 3, T, H, W), normalised.
            audios: (B, S, F, mel bins), normalised.
            present: Bool (B,) per modality; an absent stream takes part in no fusion.
            visual_is_masked: Bool (BS, N), True where a token is hidden.
            audio_is_masked: Bool (BS, M), True where a token is hidden.
            mask_mode: ``'drop'``: hidden tokens enter no block; ``'token'``: a learned token
                stands for them.
            return_attention: Fill the attentions; where tokens are dropped, of those that stay.
        """


def join_streams(outputs: dict[str, StreamOutput], backbone: AffectiveBackbone) -> BackboneOutput:
    """The backbone's output from that of its streams."""
    visual, audio = outputs['visual'], outputs['audio']
    return BackboneOutput(
        visual.tokens,
        audio.tokens,
        visual.embed,
        audio.embed,
        backbone.visual.spec.grid,
        backbone.audio.spec.grid,
        visual.attention,
        audio.attention,
    )


def freeze(*modules: nn.Module | nn.Parameter) -> None:
    """Take modules or parameters out of training."""
    for module in modules:
        module.requires_grad_(False)
