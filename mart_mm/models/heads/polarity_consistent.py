"""One linear classifier per stream, trained with the polarity-consistent loss."""

from __future__ import annotations

from torch import Tensor, nn

from mart_mm.models.heads.base import STREAMS, AffectiveHead
from mart_mm.registry import MODELS

__all__ = ['STREAMS', 'PolarityConsistentHead']


@MODELS.register_module()
class PolarityConsistentHead(AffectiveHead):
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
        super().__init__(
            polarity=polarity,
            penalty=penalty,
            label_smoothing=label_smoothing,
            loss_weight=loss_weight,
        )
        if pool not in ('max', 'mean'):
            raise ValueError(f"pool={pool!r}: choose 'max' or 'mean'")
        self.pool_type = pool
        self.classifiers = nn.ModuleDict(
            {name: nn.Linear(in_channels, self.num_classes) for name in self.streams}
        )
        for classifier in self.classifiers.values():
            nn.init.normal_(classifier.weight, std=0.01)
            nn.init.zeros_(classifier.bias)

    def pool(self, features: Tensor) -> Tensor:
        """Segments to video: (B, S, D) -> (B, D)."""
        return features.amax(1) if self.pool_type == 'max' else features.mean(1)

    def forward(
        self, features: dict[str, Tensor], present: dict[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Video logits (B, C) of each stream from segment features (B, S, D)."""
        return {name: self.classifiers[name](self.pool(features[name])) for name in self.streams}

    def segment_logits(
        self, features: dict[str, Tensor], present: dict[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Logits (B, S, C) of each stream."""
        return {name: self.classifiers[name](features[name]) for name in self.streams}
