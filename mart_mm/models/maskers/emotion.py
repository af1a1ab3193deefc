"""Emotion-oriented masking: hide what the words point at, reveal the very top as a hint."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mart_mm.models.maskers.base import rank
from mart_mm.models.maskers.ranked import RankedMasker, hide_all_but_hints
from mart_mm.registry import MODELS


@MODELS.register_module()
class EmotionMasker(RankedMasker):
    """Mask the tokens of ranks ``(S, S + ceil(r N)]`` of their relevance (paper Eq. 6-7).

    The ratio grows with training: ``r = r_min + (r_max - r_min) * min(1, progress / ramp)``. The
    ``S = floor(reveal_ratio * r N)`` tokens on top stay visible, as cues for the recovery.

    Args:
        r_min: Ratio at the start.
        r_max: Ratio at the end; ``M = r_max N`` is the most that is masked.
        ramp: Share of the pretraining stage over which the ratio grows (official code: its first
            half; the paper: all of it, 1.0).
        reveal_ratio: Revealed over masked tokens.
        reveal: ``'top'`` (Eq. 7): the top S are revealed beside ``ceil(r N)`` masked ones; or
            ``'random_top'`` (official code, which is AttMask's hint): of the top ``int(r N)``, S random
            ones among the leading tenth of all tokens are revealed.
        mask_prob: Probability that a segment is masked at all (official code: 0.5).

    Raises:
        ValueError: For ratios out of range or another ``reveal``.
    """

    def __init__(
        self,
        *,
        r_min: float = 0.1,
        r_max: float = 0.5,
        ramp: float = 0.5,
        reveal_ratio: float = 0.1,
        reveal: str = 'top',
        mask_prob: float = 1.0,
    ) -> None:
        super().__init__(r_min=r_min, r_max=r_max, ramp=ramp, mask_prob=mask_prob)
        if r_max * (1 + reveal_ratio) > 1:
            raise ValueError(f'r_max={r_max} with reveal_ratio={reveal_ratio} exceeds all tokens')
        if reveal not in ('top', 'random_top'):
            raise ValueError(f"reveal={reveal!r}: choose 'top' or 'random_top'")
        self.reveal_ratio, self.reveal = reveal_ratio, reveal

    def counts(self, num_tokens: int, progress: float) -> tuple[int, int]:
        """Ranked and revealed tokens of a segment.

        Returns:
            With ``reveal='top'``: ``ceil(r N)`` masked and S revealed above them. With
            ``'random_top'``: ``int(r N)``, of which S are revealed again.
        """
        wanted = self.ratio(progress) * num_tokens
        top = math.ceil(wanted - 1e-6) if self.reveal == 'top' else int(wanted + 1e-6)
        return top, int(self.reveal_ratio * wanted + 1e-6)

    def num_hidden_if_masked(self, num_tokens: int, progress: float) -> int:
        """See :class:`RankedMasker`."""
        top, revealed = self.counts(num_tokens, progress)
        return min(top, num_tokens - revealed) if self.reveal == 'top' else top - revealed

    def hide(self, ranks: Tensor, progress: float, generator: torch.Generator | None) -> Tensor:
        """See :class:`RankedMasker`."""
        top, revealed = self.counts(ranks.shape[1], progress)
        if self.reveal == 'top':
            return (ranks >= revealed) & (ranks < revealed + top)
        return hide_all_but_hints(ranks, top, revealed, 0.1, generator)

    def pick(self, scores: Tensor, progress: float) -> Tensor:
        """Tokens that are hidden, or revealed above them: all that is decided without chance.

        Args:
            scores: (BS, N), relevance of the tokens.
            progress: Share of the pretraining stage done, in [0, 1].

        Returns:
            Bool (BS, N).
        """
        top, revealed = self.counts(scores.shape[1], progress)
        return rank(scores) < (top + revealed if self.reveal == 'top' else top)
