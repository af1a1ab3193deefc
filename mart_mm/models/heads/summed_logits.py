"""The head of MSAF: one classifier per modality, one loss on the sum of their logits."""

from __future__ import annotations

from torch import Tensor, nn

from mart_mm.models.heads.base import FusedHead
from mart_mm.registry import MODELS


@MODELS.register_module()
class SummedLogitsHead(FusedHead):
    """Linear classifiers on the mean of the segments; the logits of what is present are added.

    Unlike in :class:`PolarityConsistentHead`, the streams are not trained one by one.

    Args:
        in_channels: Width D of the segments' features.
        polarity: See :class:`AffectiveHead`.
        penalty: Lambda of PCCE; 0 is MSAF's cross-entropy.
        label_smoothing: Of the cross-entropy.
        loss_weight: Weight of the loss.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        polarity: list[int],
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
        self.classifiers = nn.ModuleDict(
            {name: nn.Linear(in_channels, self.num_classes) for name in self.modalities}
        )

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
        logits = (
            self.classifiers[name](features[name]) * is_present[name][:, None, None]
            for name in self.modalities
        )
        return {'fused': sum(logits)}
