"""MSAF (Su et al., arXiv 2012.07175): two convolutional networks that reweigh each other's channels."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from mart_mm.models.backbones.base import (
    AffectiveBackbone,
    BackboneOutput,
    StreamOutput,
    join_streams,
)
from mart_mm.models.backbones.conv_stream import ConvStream
from mart_mm.models.backbones.msaf_fusion import MSAFFusion
from mart_mm.models.layers.present import all_present, for_segments, on_present
from mart_mm.models.layers.token_masking import check_mask_mode
from mart_mm.registry import MODELS


@MODELS.register_module()
class MSAFAudioCNN(BaseModule):
    """MSAF's 1-D CNN, with mel bins for its 13 MFCC as the first layer's channels.

    Args:
        num_mels: Mel bins.
        base_channels: Channels of the first two layers; the third has twice as many.
    """

    num_parts = 2

    def __init__(self, *, num_mels: int = 128, base_channels: int = 32) -> None:
        super().__init__()
        c = base_channels
        self.part_channels = (c, 2 * c)
        self.parts = nn.ModuleList(
            [
                nn.Sequential(
                    nn.Conv1d(num_mels, c, 7, padding=2),
                    nn.ReLU(),
                    nn.BatchNorm1d(c),
                    nn.Conv1d(c, c, 7, padding=2),
                    nn.ReLU(),
                ),
                nn.Sequential(
                    nn.MaxPool1d(8),
                    nn.BatchNorm1d(c),
                    nn.Dropout(0.2),
                    nn.Conv1d(c, 2 * c, 5, padding=2),
                    nn.ReLU(),
                    nn.BatchNorm1d(2 * c),
                ),
            ]
        )

    def run_part(self, index: int, x: Tensor) -> Tensor:
        """Part 0 of pictures (n, 1, mel bins, F), part 1 of what part 0 gave: (n, channels, 1, .)."""
        return self.parts[index](x.squeeze(1) if index == 0 else x.squeeze(2))[:, :, None]

    def forward(self, x: Tensor) -> Tensor:
        """Feature map (n, channels, 1, time) of pictures (n, 1, mel bins, F)."""
        return self.run_part(1, self.run_part(0, x))


@MODELS.register_module()
class MSAFStream(ConvStream):
    """A stream whose encoder runs in parts, so that others can look in between.

    Args:
        encoder: Config of a network with ``run_part(index, x)`` and ``part_channels``:
            ``HaraResNet3d``, ``MSAFAudioCNN``.
        input_shape: See :class:`ConvStream`.
        embed_dims: See :class:`ConvStream`.
        dropout: Of the last map, in training.
        init_cfg: MMEngine's initialisation config.
    """

    def __init__(
        self,
        *,
        encoder: dict,
        input_shape: tuple[int, ...],
        embed_dims: int,
        dropout: float = 0.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            encoder=encoder, input_shape=input_shape, embed_dims=embed_dims, init_cfg=init_cfg
        )
        self.dropout = nn.Dropout(dropout)

    def finish(self, features: Tensor, is_masked: Tensor | None = None) -> StreamOutput:
        """See :class:`ConvStream`."""
        return super().finish(self.dropout(features), is_masked)


@MODELS.register_module()
class MSAF(AffectiveBackbone):
    """Two networks with an :class:`MSAFFusion` after each of their parts.

    A segment's two maps are fused on their own; hidden tokens are hidden on the last maps, after
    the fusion.

    Args:
        visual: Config of an :class:`MSAFStream`.
        audio: Config of an :class:`MSAFStream`.
        block_channels: Channels of a block at each fusion.
        reduction: See :class:`MSAFFusion`.
        block_dropout: See :class:`MSAFFusion`.
        lowest_attention: See :class:`MSAFFusion`.
        init_cfg: MMEngine's initialisation config.

    Raises:
        TypeError: When a stream is none of :class:`MSAFStream`.
    """

    def __init__(
        self,
        *,
        visual: dict,
        audio: dict,
        block_channels: tuple[int, int] = (16, 32),
        reduction: int = 4,
        block_dropout: float = 0.2,
        lowest_attention: float = 0.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(MODELS.build(visual), MODELS.build(audio), init_cfg)
        streams = {'visual': self.visual, 'audio': self.audio}
        for name, stream in streams.items():
            if not isinstance(stream, MSAFStream):
                raise TypeError(
                    f'MSAF.{name}={type(stream).__name__} runs in one part: use MSAFStream'
                )
        self.fusions = nn.ModuleList(
            MSAFFusion(
                {name: stream.encoder.part_channels[index] for name, stream in streams.items()},
                block_channels=width,
                reduction=reduction,
                block_dropout=block_dropout,
                lowest_attention=lowest_attention,
            )
            for index, width in enumerate(block_channels)
        )

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
        check_mask_mode(mask_mode)
        maps = {
            'visual': imgs.flatten(0, 1),
            'audio': audios.flatten(0, 1).transpose(1, 2)[:, None],  # (BS, 1, mel bins, F)
        }
        if present is None:
            present = {name: all_present(imgs) for name in maps}
        is_present = {name: for_segments(present[name], imgs.shape[1]) for name in maps}
        for index, fusion in enumerate(self.fusions):
            maps = {name: self._part(name, index, x, is_present[name]) for name, x in maps.items()}
            maps = fusion(maps, is_present)
        is_masked = {'visual': visual_is_masked, 'audio': audio_is_masked}
        outputs = {name: getattr(self, name).finish(x, is_masked[name]) for name, x in maps.items()}
        if not return_attention:
            outputs = {name: x._replace(attention=None) for name, x in outputs.items()}
        return join_streams(outputs, self)

    def _part(self, name: str, index: int, x: Tensor, is_present: Tensor) -> Tensor:
        """A part of a stream's encoder, on the segments that have the modality."""
        encoder = getattr(self, name).encoder
        return on_present(encoder, x, is_present, lambda rows: encoder.run_part(index, rows))
