"""Emotion-oriented masking: hide what the words point at, reveal the very top as a hint."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mart_mm.models.maskers.base import Masker, grid_size
from mart_mm.registry import MODELS


@MODELS.register_module()
class EmotionMasker(Masker):
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
            ``'random_top'`` (official code): of the top ``int(r N)``, S random ones among the leading
            tenth of all tokens are revealed.
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
        super().__init__()
        if not 0 < r_min <= r_max < 1 or not 0 < ramp <= 1:
            raise ValueError(
                f'r_min={r_min}, r_max={r_max}, ramp={ramp}: need 0 < r_min <= r_max < 1, 0 < ramp <= 1'
            )
        if r_max * (1 + reveal_ratio) > 1:
            raise ValueError(f'r_max={r_max} with reveal_ratio={reveal_ratio} exceeds all tokens')
        if reveal not in ('top', 'random_top'):
            raise ValueError(f"reveal={reveal!r}: choose 'top' or 'random_top'")
        self.r_min, self.r_max, self.ramp = r_min, r_max, ramp
        self.reveal_ratio, self.reveal, self.mask_prob = reveal_ratio, reveal, mask_prob

    def ratio(self, progress: float) -> float:
        """Mask ratio r at this progress."""
        return self.r_min + (self.r_max - self.r_min) * min(1.0, progress / self.ramp)

    def counts(self, num_tokens: int, progress: float) -> tuple[int, int]:
        """Ranked and revealed tokens of a segment.

        Returns:
            With ``reveal='top'``: ``ceil(r N)`` masked and S revealed above them. With
            ``'random_top'``: ``int(r N)``, of which S are revealed again.
        """
        wanted = self.ratio(progress) * num_tokens
        top = math.ceil(wanted - 1e-6) if self.reveal == 'top' else int(wanted + 1e-6)
        return top, int(self.reveal_ratio * wanted + 1e-6)

    def forward(
        self,
        scores: Tensor | None,
        grid: tuple[int, ...],
        progress: float,
        *,
        batch_size: int,
        device: torch.device | str = 'cpu',
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Choose; ``scores`` are needed. Ties go to the first token. See :class:`Masker`.

        Raises:
            ValueError: Without scores, or when they do not fit the grid.
        """
        count = grid_size(grid)
        if scores is None or tuple(scores.shape) != (batch_size, count):
            raise ValueError(
                f'EmotionMasker ranks tokens: it needs scores of shape {(batch_size, count)}, '
                f'got {None if scores is None else tuple(scores.shape)}'
            )
        top, revealed = self.counts(count, progress)
        order = scores.detach().argsort(dim=1, descending=True, stable=True)
        rank = order.argsort(1)  # 0 is the highest score
        if self.reveal == 'top':
            is_masked = (rank >= revealed) & (rank < revealed + top)
        else:
            pool = max(revealed, min(top, int(0.1 * count)))
            noise = torch.rand(batch_size, count, generator=generator, device=rank.device)
            noise = noise.masked_fill(rank >= pool, 2.0)
            is_masked = (rank < top) & (noise.argsort(1).argsort(1) >= revealed)
        if self.mask_prob < 1:
            draw = torch.rand(batch_size, 1, generator=generator, device=rank.device)
            is_masked = is_masked & (draw < self.mask_prob)
        return is_masked
