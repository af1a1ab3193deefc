"""The temporal emotion distribution as a recovery target, the paper's own."""

from __future__ import annotations

from torch import Tensor

from mart_mm.models.losses.distribution import distribution_kl
from mart_mm.models.losses.reduce import global_mean
from mart_mm.models.targets.base import RecoveryContext, RecoverySpec, RecoveryTarget
from mart_mm.registry import MODELS


@MODELS.register_module()
class EmotionDistributionTarget(RecoveryTarget):
    """Each segment's emotion distribution, by KL divergence (paper Sec. 3.3, after Eq. 7).

    The decoder's features are averaged over the segment's tokens, a linear layer scores the classes.
    The target comes from the unmasked pass. Only segments with a masked token count.

    Args:
        spec: What it is built for.
        loss_weight: Weight of the loss; the paper gives none.
    """

    def __init__(
        self,
        spec: RecoverySpec,
        *,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(spec, out_dims=spec.num_classes, loss_weight=loss_weight)

    def target(self, inputs: dict, context: RecoveryContext) -> Tensor:
        """P, (BS, C)."""
        return context.distribution.detach()

    def predict(self, decoded: Tensor) -> Tensor:
        """Log Q, (BS, C)."""
        return self.head(decoded.mean(1)).float().log_softmax(-1)

    def loss(self, decoded: Tensor, inputs: dict, context: RecoveryContext) -> dict[str, Tensor]:
        """``loss_kl``, the mean of KL(P || Q) over segments."""
        values = distribution_kl(self.target(inputs, context), self.predict(decoded))
        counts = context.is_masked.any(1) & context.is_present
        return {'loss_kl': self.loss_weight * global_mean(values, counts)}
