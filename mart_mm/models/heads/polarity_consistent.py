"""One linear classifier per stream, trained with the polarity-consistent loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mart_mm.models.backbones.base import BackboneOutput
from mart_mm.models.losses.pcce import polarity_consistent_cross_entropy
from mart_mm.models.losses.reduce import global_mean
from mart_mm.registry import MODELS

STREAMS = ('visual', 'audio')


@MODELS.register_module()
class PolarityConsistentHead(nn.Module):
    """Per-stream emotion classifiers; the video's logits are their sum (paper Sec. 3.2, ``fc``).

    Args:
        in_channels: Width D of the segments' features.
        polarity: Polarity in {-1, 0, 1} of each class, in the order of the classes.
        penalty: Extra weight of a prediction of the wrong polarity (lambda of PCCE).
        pool: How segments become a video: ``'max'`` (paper, above Eq. 3) or ``'mean'`` (official code).
        label_smoothing: Of the cross-entropy.
        loss_weight: Weight of both streams' losses.

    Raises:
        ValueError: For another ``pool``.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        polarity: list[int],
        penalty: float = 0.5,
        pool: str = 'max',
        label_smoothing: float = 0.0,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        if pool not in ('max', 'mean'):
            raise ValueError(f"pool={pool!r}: choose 'max' or 'mean'")
        self.num_classes, self.pool_type = len(polarity), pool
        self.penalty, self.label_smoothing, self.loss_weight = penalty, label_smoothing, loss_weight
        self.classifiers = nn.ModuleDict(
            {name: nn.Linear(in_channels, self.num_classes) for name in STREAMS}
        )
        for classifier in self.classifiers.values():
            nn.init.normal_(classifier.weight, std=0.01)
            nn.init.zeros_(classifier.bias)
        self.register_buffer('polarity', torch.tensor(polarity), persistent=False)

    def pool(self, features: Tensor) -> Tensor:
        """Segments to video: (B, S, D) -> (B, D)."""
        return features.amax(1) if self.pool_type == 'max' else features.mean(1)

    @staticmethod
    def segment_features(output: BackboneOutput, num_segments: int) -> dict[str, Tensor]:
        """Features of each stream unfolded to (B, S, D)."""
        return {
            name: getattr(output, f'{name}_embed').unflatten(0, (-1, num_segments))
            for name in STREAMS
        }

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        """Video logits (B, C) of each stream from segment features (B, S, D)."""
        return {name: self.classifiers[name](self.pool(x)) for name, x in features.items()}

    def segment_logits(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        """Logits (B, S, C) of each stream."""
        return {name: self.classifiers[name](x) for name, x in features.items()}

    def loss(
        self, features: dict[str, Tensor], labels: Tensor, present: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Classification loss of each stream over the videos that have it.

        Args:
            features: (B, S, D) by stream.
            labels: Long (B,).
            present: Bool (B,) by modality.

        Returns:
            ``loss_cls_visual`` and ``loss_cls_audio``, scalars.
        """
        losses = {}
        for name, logits in self(features).items():
            values = polarity_consistent_cross_entropy(
                logits, labels, self.polarity, self.penalty, self.label_smoothing
            )
            losses[f'loss_cls_{name}'] = self.loss_weight * global_mean(values, present[name])
        return losses

    def predict(self, features: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:
        """Class probabilities (B, C): softmax of the summed logits of the streams present."""
        logits = self(features)
        total = sum(logits[name] * present[name][:, None] for name in STREAMS)
        return total.float().softmax(-1)
