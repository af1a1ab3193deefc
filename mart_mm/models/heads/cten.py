"""CTEN (Zhang, Wang, Yang, CVPR 2023): segments across modalities, and temporal erasing."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from mart_mm.models.heads.base import FusedHead
from mart_mm.models.heads.cross_modal import CrossAttention, NonLocalSegments
from mart_mm.models.heads.temporal_attention import TemporalAttention
from mart_mm.models.layers.present import RowBatchNorm, on_present
from mart_mm.registry import MODELS


class ErasedSegments(NamedTuple):
    """Which segments each of CTEN's further passes keeps.

    Attributes:
        context: Bool (B, S), segments below the threshold: what stays when the key ones are erased.
        key: Bool (B, S), segments above it.
    """

    context: Tensor
    key: Tensor


def split_segments(gamma: Tensor, share: float = 0.7) -> ErasedSegments:
    """Part the segments by ``share * max + (1 - share) * min`` of their video's weights.

    Args:
        gamma: (B, S), weights of the segments.
        share: Of the maximum in the threshold.
    """
    gamma = gamma.detach()
    high, low = gamma.amax(1, keepdim=True), gamma.amin(1, keepdim=True)
    threshold = share * high + (1 - share) * low
    return ErasedSegments(gamma < threshold, gamma > threshold)


def stretch(x: Tensor, is_kept: Tensor) -> Tensor:
    """Fill a video's places with the segments it keeps, in their order, each about equally often.

    A video that keeps none, because all its segments weigh the same, stays as it is.

    Args:
        x: (B, S, D).
        is_kept: Bool (B, S).

    Returns:
        (B, S, D).
    """
    is_kept = is_kept | ~is_kept.any(1, keepdim=True)
    num_segments = x.shape[1]
    order = (~is_kept).to(torch.uint8).argsort(dim=1, stable=True)  # kept ones first
    places = torch.arange(num_segments, device=x.device)
    ranks = places[None] * is_kept.sum(1, keepdim=True) // num_segments
    index = order.gather(1, ranks)
    return x.gather(1, index[..., None].expand_as(x))


@MODELS.register_module()
class CTENHead(FusedHead):
    """Non-local blocks, cross-attention, temporal attention; trained with temporal erasing.

    Three terms of equal weight: on the whole video; without its key segments; without its context.
    The erased segments' places are taken by the frames' features of the others; the sound stays as
    it is (in the authors' code clips are decoded anew from the kept segments).

    Args:
        in_channels: Width D of the segments' features.
        polarity: See :class:`AffectiveHead`.
        num_segments: Segments S of every video.
        inner_dims: Width inside the non-local blocks.
        num_heads: Heads of the cross-attention.
        erase_share: Share of the maximum in the threshold, see :func:`split_segments`.
        dropout: Before the classifier.
        penalty: Lambda of PCCE; 0 is CTEN's cross-entropy.
        label_smoothing: Of the cross-entropy.
        loss_weight: Weight of the three terms' mean.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        polarity: list[int],
        num_segments: int,
        inner_dims: int = 256,
        num_heads: int = 8,
        erase_share: float = 0.7,
        dropout: float = 0.2,
        penalty: float = 0.0,
        label_smoothing: float = 0.0,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(
            polarity=polarity,
            penalty=penalty,
            label_smoothing=label_smoothing,
            loss_weight=loss_weight,
        )
        self.erase_share = erase_share
        self.embed_audio = nn.Sequential(RowBatchNorm(in_channels), nn.Tanh())
        self.non_local = nn.ModuleDict(
            {name: NonLocalSegments(in_channels, inner_dims) for name in self.modalities}
        )
        self.cross = nn.ModuleDict(
            {name: CrossAttention(in_channels, num_heads) for name in self.modalities}
        )
        self.attention = TemporalAttention(2 * in_channels, num_segments)
        self.drop = nn.Dropout(dropout)
        self.classifier = nn.Linear(2 * in_channels, self.num_classes)

    def weighted(
        self, features: dict[str, Tensor], present: dict[str, Tensor] | None
    ) -> tuple[Tensor, Tensor]:
        """Weighted features (B, S, 2D) of both modalities, and the weights gamma (B, S)."""
        is_present = self.modality_present(features, present)
        audio = on_present(self.embed_audio, features['audio'], is_present['audio'])
        seen = {
            name: on_present(self.non_local[name], x, is_present[name])
            for name, x in (('visual', features['visual']), ('audio', audio))
        }
        both = (is_present['visual'] & is_present['audio'])[:, None, None]
        joined = torch.cat(
            [
                seen[name] + self.cross[name](seen[other], seen[name]) * both
                for name, other in (('visual', 'audio'), ('audio', 'visual'))
            ],
            dim=-1,
        )
        any_present = is_present['visual'] | is_present['audio']
        gamma = on_present(self.attention, joined, any_present)
        return joined * gamma[..., None], gamma

    def classify(self, weighted: Tensor) -> Tensor:
        """Logits (B, C) of weighted features (B, S, 2D)."""
        return self.classifier(self.drop(weighted.mean(1)))

    def forward(
        self, features: dict[str, Tensor], present: dict[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """See :class:`AffectiveHead`."""
        return {'fused': self.classify(self.weighted(features, present)[0])}

    def segment_logits(
        self, features: dict[str, Tensor], present: dict[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Logits (B, S, C), whose mean over segments is the video's; see :class:`AffectiveHead`."""
        return {'fused': self.classifier(self.weighted(features, present)[0])}

    def loss(
        self, features: dict[str, Tensor], labels: Tensor, present: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Losses of the whole video, of its context and of its key segments; see the class.

        Returns:
            ``loss_cls_fused``, ``loss_cls_key_erased`` and ``loss_cls_context_erased``.
        """
        weighted, gamma = self.weighted(features, present)
        kept = split_segments(gamma, self.erase_share)
        logits = {'fused': self.classify(weighted)}
        for name, is_kept in (('key_erased', kept.context), ('context_erased', kept.key)):
            erased = features | {'visual': stretch(features['visual'], is_kept)}
            logits[name] = self(erased, present)['fused']
        is_present = self.stream_present(present)['fused']
        return {
            f'loss_cls_{name}': self.classification_loss(values, labels, is_present) / 3
            for name, values in logits.items()
        }
