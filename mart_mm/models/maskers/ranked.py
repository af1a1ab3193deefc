"""What the strategies that hide tokens by rank share: a growing ratio, revealing, skipping segments."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from mart_mm.models.layers.token_masking import remember_counts
from mart_mm.models.layers.transfer import on_device
from mart_mm.models.maskers.base import Masker, check_scores, grid_size, rank, share_of


class RankedMasker(Masker):
    """Hides tokens by the rank of their scores.

    The ratio grows with training: ``r = r_min + (r_max - r_min) * min(1, progress / ramp)``.

    Args:
        r_min: Ratio at the start.
        r_max: Ratio at the end; with ``r_min`` the same, the ratio is constant.
        ramp: Share of the pretraining stage over which the ratio grows.
        mask_prob: Probability that a segment is masked at all. Below 1, segments hide different
            numbers of tokens, so they cannot be dropped.

    Raises:
        ValueError: For ratios or a probability out of range.
    """

    def __init__(self, *, r_min: float, r_max: float, ramp: float, mask_prob: float) -> None:
        super().__init__()
        if not 0 < r_min <= r_max < 1 or not 0 < ramp <= 1:
            raise ValueError(
                f'r_min={r_min}, r_max={r_max}, ramp={ramp}: need 0 < r_min <= r_max < 1, 0 < ramp <= 1'
            )
        if not 0 < mask_prob <= 1:
            raise ValueError(f'mask_prob={mask_prob}: give a probability above 0')
        self.r_min, self.r_max, self.ramp, self.mask_prob = r_min, r_max, ramp, mask_prob

    def ratio(self, progress: float) -> float:
        """Mask ratio r at this progress."""
        return self.r_min + (self.r_max - self.r_min) * min(1.0, progress / self.ramp)

    def num_hidden(self, grid: tuple[int, ...], progress: float) -> int | None:
        """See :class:`Masker`; None where ``mask_prob`` skips segments."""
        return self.num_hidden_if_masked(grid_size(grid), progress) if self.mask_prob == 1 else None

    @abstractmethod
    def num_hidden_if_masked(self, num_tokens: int, progress: float) -> int:
        """How many of its N tokens a segment hides that is masked."""

    @abstractmethod
    def hide(self, ranks: Tensor, progress: float, generator: torch.Generator | None) -> Tensor:
        """Choose by rank.

        Args:
            ranks: Long (BS, N), 0 is the highest score.
            progress: See :class:`Masker`.
            generator: See :class:`Masker`.

        Returns:
            Bool (BS, N), True where a token is hidden.
        """

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
        ranks = rank(check_scores(self, scores, grid, batch_size))
        is_masked = self.hide(ranks, progress, generator)
        if self.mask_prob == 1:
            return is_masked
        # drawn on the host, which then knows what is masked
        source = 'cpu' if generator is None else generator.device
        is_chosen = (
            torch.rand(batch_size, 1, generator=generator, device=source) < self.mask_prob
        ).cpu()
        hidden = self.num_hidden_if_masked(ranks.shape[1], progress)
        return remember_counts(
            is_masked & on_device(is_chosen, ranks.device),
            [hidden * chosen for chosen in is_chosen[:, 0].tolist()],
        )


def hide_all_but_hints(
    ranks: Tensor,
    num_ranked: int,
    num_revealed: int,
    pool_share: float,
    generator: torch.Generator | None,
) -> Tensor:
    """Hide the tokens of highest rank, and reveal a few of the very first at random.

    AttMask's hints (Kakogeorgiou et al., ECCV 2022), also the rule of MART's official code.

    Args:
        ranks: Long (BS, N), 0 is the highest score.
        num_ranked: Leading tokens that are hidden before any is revealed.
        num_revealed: Of these, how many are revealed again.
        pool_share: Share of all N tokens, leading ones, among which is drawn; never more than
            ``num_ranked``, never less than ``num_revealed``.
        generator: See :class:`Masker`.

    Returns:
        Bool (BS, N), ``num_ranked - num_revealed`` True in each row.
    """
    pool = max(num_revealed, min(num_ranked, share_of(ranks.shape[1], pool_share)))
    noise = torch.rand(ranks.shape, generator=generator, device=ranks.device)
    noise = noise.masked_fill(ranks >= pool, 2.0)
    return (ranks < num_ranked) & (noise.argsort(1).argsort(1) >= num_revealed)
