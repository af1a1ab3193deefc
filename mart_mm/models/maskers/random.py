"""Space-time agnostic random masking (Feichtenhofer et al., NeurIPS 2022)."""

from __future__ import annotations

import torch
from torch import Tensor

from mart_mm.models.maskers.base import Masker, grid_size
from mart_mm.registry import MODELS


@MODELS.register_module()
class RandomMasker(Masker):
    """Keep ``int(N * (1 - ratio))`` tokens of each segment at random.

    Args:
        ratio: Share of hidden tokens, in [0, 1).
    """

    def __init__(self, *, ratio: float = 0.9) -> None:
        super().__init__()
        if not 0 <= ratio < 1:
            raise ValueError(f'ratio={ratio}: give a number in [0, 1)')
        self.ratio = ratio

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
        num_kept = int(count * (1 - self.ratio) + 1e-6)
        noise = torch.rand(batch_size, count, generator=generator, device=device)
        rank = noise.argsort(1).argsort(1)
        return rank >= num_kept
