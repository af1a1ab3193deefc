"""The temporal emotion distribution as a recovery target, the paper's own."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from mart_mm.models.decoders.base import DecodedTokens
from mart_mm.models.losses.distribution import distribution_kl
from mart_mm.models.losses.reduce import global_mean
from mart_mm.models.targets.base import RecoveryContext, RecoverySpec, RecoveryTarget
from mart_mm.models.targets.time_steps import step_of_token
from mart_mm.registry import MODELS


@MODELS.register_module()
class EmotionDistributionTarget(RecoveryTarget):
    """The emotion distribution of each stretch of time, by KL divergence (paper Sec. 3.3, after Eq. 7).

    The decoder's features are averaged over the stretch's tokens, a linear layer scores the classes.
    The target P comes from the unmasked pass. Only stretches with a masked token and a known target
    count.

    Args:
        spec: What it is built for.
        granularity: A stretch is a ``'segment'``, or a ``'tubelet'``: one time step of the stream's
            tokens.
        axis: What sums to 1: the ``'class'`` probabilities of a stretch, or, of each class, its
            probabilities over the ``'time'`` of a video. There a video with a masked token counts.
        reverse: KL(Q || P) instead of KL(P || Q).
        temperature: Of the target; below 1 sharpens it.
        loss_weight: Weight of the loss; the paper gives none.

    Raises:
        ValueError: For another ``granularity`` or ``axis``, a ``temperature`` that is not positive, or
            tubelets of a stream without axis of time.
    """

    reads_visible = True

    def __init__(
        self,
        spec: RecoverySpec,
        *,
        granularity: str = 'segment',
        axis: str = 'class',
        reverse: bool = False,
        temperature: float = 1.0,
        loss_weight: float = 1.0,
    ) -> None:
        if granularity not in ('segment', 'tubelet'):
            raise ValueError(f"granularity={granularity!r}: choose 'segment' or 'tubelet'")
        if axis not in ('class', 'time'):
            raise ValueError(f"axis={axis!r}: choose 'class' or 'time'")
        if temperature <= 0:
            raise ValueError(f'temperature={temperature}: give a positive number')
        super().__init__(spec, out_dims=spec.num_classes, loss_weight=loss_weight)
        self.needs_step_scores = granularity == 'tubelet'
        self.axis, self.reverse, self.temperature = axis, reverse, temperature
        membership = step_of_token(spec.stream.grid) if self.needs_step_scores else None
        self.register_buffer('membership', membership, persistent=False)

    def target(self, inputs: dict, context: RecoveryContext) -> Tensor:
        """P, (B, T, C) with the T stretches of a video."""
        return self._normalise(self._scores(context) / self.temperature).exp()

    def predict(self, decoded: DecodedTokens) -> Tensor:
        """Log Q, (BS, C) or (BS, steps, C); with ``axis='time'`` its part that depends on the stretch."""
        scores = self.head(self._means(decoded)).float()
        return scores.log_softmax(-1) if self.axis == 'class' else scores

    def loss(
        self, decoded: DecodedTokens, inputs: dict, context: RecoveryContext
    ) -> dict[str, Tensor]:
        """``loss_kl``, the mean over stretches, or with ``axis='time'`` over videos and classes."""
        log_p = self._normalise(self._scores(context) / self.temperature)  # (B, T, C)
        log_q = self._normalise(self.predict(decoded).view_as(log_p))
        is_counted = self._has_masked(context).view(log_p.shape[:2])  # (B, T)
        if self.axis == 'time':
            log_p, log_q = log_p.transpose(1, 2), log_q.transpose(1, 2)  # (B, C, T)
            is_counted = is_counted.any(1, keepdim=True).expand(log_p.shape[:2])
        first, second = (log_q, log_p) if self.reverse else (log_p, log_q)
        values = distribution_kl(first.exp(), second)
        return {'loss_kl': self.loss_weight * global_mean(values, is_counted)}

    def _scores(self, context: RecoveryContext) -> Tensor:
        """Temporal emotion scores of the unmasked pass, (B, T, C)."""
        if context.scores is None:
            raise ValueError(
                'EmotionDistributionTarget recovers what an unmasked pass says of the emotion: use it '
                'with a pretext that makes one, e.g. MaskedAffectivePretext'
            )
        if self.needs_step_scores:
            return context.step_scores.detach().flatten(1, 2)
        return context.scores.detach()

    def _normalise(self, scores: Tensor) -> Tensor:
        """Log-softmax of (B, T, C) along the axis."""
        return scores.float().log_softmax(-1 if self.axis == 'class' else 1)

    def _means(self, decoded: DecodedTokens) -> Tensor:
        """Mean feature of each stretch, (BS, dims) or (BS, steps, dims)."""
        features = decoded.features
        if not self.needs_step_scores:
            return features.mean(1)
        share = self.membership.expand(len(features), -1, -1)
        if decoded.index is not None:
            share = F.embedding(decoded.index, self.membership)  # (BS, n, steps)
        share = share / share.sum(1, keepdim=True).clamp(min=1)
        return share.transpose(1, 2).to(features.dtype) @ features

    def _has_masked(self, context: RecoveryContext) -> Tensor:
        """Which stretches have a masked token, the modality and a target, bool (BS,) or (BS, steps)."""
        is_usable = context.is_present
        if context.has_scores is not None:
            is_usable = is_usable & context.has_scores
        if not self.needs_step_scores:
            return context.is_masked.any(1) & is_usable
        has_masked = (context.is_masked.float() @ self.membership) > 0
        return has_masked & is_usable[:, None]
