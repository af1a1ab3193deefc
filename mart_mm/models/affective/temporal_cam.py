"""Temporal class-activation map: how strong is which emotion in which segment."""

from __future__ import annotations

from torch import Tensor, nn

from mart_mm.models.heads.base import AffectiveHead
from mart_mm.models.layers.modes import evaluating
from mart_mm.registry import MODELS


@MODELS.register_module()
class TemporalCAM(nn.Module):
    """Temporal emotion scores of paper Eq. 3, per stream and summed.

    ``D = softmax(fc(pool(z)))`` repeated over time, times ``fc(z)`` element by element; the segment's
    emotion distribution is ``softmax(D / temperature)`` over the classes.

    Args:
        mode: ``'hadamard'`` (Eq. 3) or ``'logits'``: ``fc(z)`` alone, as in the official code.
        temperature: Of the distribution.

    Raises:
        ValueError: For another ``mode``.
    """

    def __init__(self, *, mode: str = 'hadamard', temperature: float = 1.0) -> None:
        super().__init__()
        if mode not in ('hadamard', 'logits'):
            raise ValueError(f"mode={mode!r}: choose 'hadamard' or 'logits'")
        self.mode, self.temperature = mode, temperature

    def scores(
        self,
        head: AffectiveHead,
        features: dict[str, Tensor],
        present: dict[str, Tensor],
    ) -> Tensor:
        """Temporal emotion scores.

        Args:
            head: Whose classifiers are ``fc``, and whose pooling is over time. It is asked as in
                evaluation: dropout and batch statistics have no part in the distribution.
            features: Segment features, as the head gives them.
            present: Bool (B,) by modality; an absent stream adds nothing.

        Returns:
            D, (B, S, C).
        """
        with evaluating(head):
            by_segment = head.segment_logits(features, present)
            by_video = head(features, present) if self.mode == 'hadamard' else {}
        if self.mode == 'hadamard':
            by_segment = {
                name: by_video[name].float().softmax(-1)[:, None] * logits.float()
                for name, logits in by_segment.items()
            }
        is_present = head.stream_present(present)
        return sum(
            logits.float() * is_present[name][:, None, None] for name, logits in by_segment.items()
        )

    def forward(
        self,
        head: AffectiveHead,
        features: dict[str, Tensor],
        present: dict[str, Tensor],
    ) -> Tensor:
        """Emotion distribution of each segment, (B, S, C); arguments as in :meth:`scores`."""
        return (self.scores(head, features, present) / self.temperature).softmax(-1)
