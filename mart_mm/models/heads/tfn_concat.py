"""What MART's repository calls TFN: both modalities' means side by side, no tensor fusion."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mart_mm.models.heads.base import FusedHead
from mart_mm.models.layers.present import RowBatchNorm, on_present
from mart_mm.registry import MODELS


@MODELS.register_module()
class TFNConcatHead(FusedHead):
    """Linear classifier on the concatenated means of the segments.

    Args:
        in_channels: Width D of the segments' features.
        polarity: See :class:`AffectiveHead`.
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
        self.classifier = nn.Linear(in_channels + audio_dims, self.num_classes)

    def forward(
        self, features: dict[str, Tensor], present: dict[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """See :class:`AffectiveHead`."""
        return {'fused': self.segment_logits(features, present)['fused'].mean(1)}

    def segment_logits(
        self, features: dict[str, Tensor], present: dict[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Logits (B, S, C), whose mean over segments is the video's; see :class:`AffectiveHead`."""
        is_present = self.modality_present(features, present)
        audio = on_present(self.embed_audio, features['audio'], is_present['audio'])
        visual = features['visual'] * is_present['visual'][:, None, None]
        return {'fused': self.classifier(torch.cat([visual, audio], -1))}
