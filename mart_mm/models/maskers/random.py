"""Space-time agnostic random masking (Feichtenhofer et al., NeurIPS 2022)."""

from __future__ import annotations

import torch
from torch import Tensor

from mart_mm.models.maskers.base import Masker, check_ratio, grid_size, random_rank, share_of
from mart_mm.registry import MODELS


@MODELS.register_module()
class RandomMasker(Masker):
    """Keep ``int(N * (1 - ratio))`` tokens of each segment at random; any grid.

    Args:
        ratio: Share of hidden tokens, in [0, 1).
    """

    def __init__(self, *, ratio: float = 0.9) -> None:
        super().__init__()
        self.ratio = check_ratio('ratio', ratio)

    def num_hidden(self, grid: tuple[int, ...], progress: float) -> int:
        """See :class:`Masker`."""
        count = grid_size(grid)
        return count - share_of(count, 1 - self.ratio)

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
        """Choose; ``scores`` and ``progress`` are not used. See :class:`Masker`."""
        count = grid_size(grid)
        ranks = random_rank(batch_size, count, device=device, generator=generator)
        return ranks >= share_of(count, 1 - self.ratio)
