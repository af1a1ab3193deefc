"""The head of VAANet: temporal attention in each modality, concatenation, one classifier."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mart_mm.models.heads.base import FusedHead
from mart_mm.models.heads.temporal_attention import TemporalAttention
from mart_mm.models.layers.present import RowBatchNorm, on_present
from mart_mm.registry import MODELS


@MODELS.register_module()
class VAANetHead(FusedHead):
    """Segments weighted by a :class:`TemporalAttention` per modality, averaged, joined, classified.

    Args:
        in_channels: Width D of the segments' features.
        polarity: See :class:`AffectiveHead`.
        num_segments: Segments S of every video.
        audio_dims: Width of the sound's features.
        penalty: Lambda of PCCE.
        label_smoothing: Of the cross-entropy.
        loss_weight: Weight of the loss.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        polarity: list[int],
        num_segments: int,
        audio_dims: int = 256,
        penalty: float = 0.5,
        label_smoothing: float = 0.0,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(
            polarity=polarity,
            penalty=penalty,
            label_smoothing=label_smoothing,
            loss_weight=loss_weight,
        )
        self.embed_audio = nn.Sequential(
            nn.Linear(in_channels, audio_dims), RowBatchNorm(audio_dims), nn.Tanh()
        )
        self.attention = nn.ModuleDict(
            {
                'visual': TemporalAttention(in_channels, num_segments),
                'audio': TemporalAttention(audio_dims, num_segments),
            }
        )
        self.classifier = nn.Linear(in_channels + audio_dims, self.num_classes)

    def weighted(self, features: dict[str, Tensor], present: dict[str, Tensor] | None) -> Tensor:
        """Weighted features (B, S, D + audio_dims); zero where a modality is absent."""
        is_present = self.modality_present(features, present)
        audio = on_present(self.embed_audio, features['audio'], is_present['audio'])
        parts = []
        for name, x in (('visual', features['visual']), ('audio', audio)):
            gamma = on_present(self.attention[name], x, is_present[name])  # (B, S)
            parts.append(x * gamma[..., None])
        return torch.cat(parts, -1)

    def forward(
        self, features: dict[str, Tensor], present: dict[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """See :class:`AffectiveHead`."""
        return {'fused': self.classifier(self.weighted(features, present).mean(1))}

    def segment_logits(
        self, features: dict[str, Tensor], present: dict[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Logits (B, S, C), whose mean over segments is the video's; see :class:`AffectiveHead`."""
        return {'fused': self.classifier(self.weighted(features, present))}
