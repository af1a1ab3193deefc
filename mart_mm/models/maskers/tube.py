"""Tube masking (VideoMAE: Tong et al., NeurIPS 2022)."""

from __future__ import annotations

import torch
from torch import Tensor

from mart_mm.models.maskers.base import (
    Masker,
    check_axes,
    check_ratio,
    grid_size,
    random_rank,
    share_of,
)
from mart_mm.registry import MODELS


@MODELS.register_module()
class TubeMasker(Masker):
    """Hide ``int(ratio * h w)`` random places of each segment, the same at all moments.

    On a grid (frequency, time) the places are the ``int(ratio * frequency)`` hidden bands.

    Args:
        ratio: Share of hidden places, in [0, 1) (VideoMAE: 0.9, on the small UCF101 0.75).
    """

    def __init__(self, *, ratio: float = 0.9) -> None:
        super().__init__()
        self.ratio = check_ratio('ratio', ratio)

    def num_hidden(self, grid: tuple[int, ...], progress: float) -> int:
        """See :class:`Masker`."""
        moments = grid[0] if len(grid) == 3 else grid[1]
        places = grid_size(grid) // moments
        return share_of(places, self.ratio) * moments

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
        """Choose; ``scores`` and ``progress`` are not used. See :class:`Masker`.

        Raises:
            ValueError: For a grid without moments.
        """
        check_axes(self, grid, '(t, h, w)', '(frequency, time)')
        places = grid[1] * grid[2] if len(grid) == 3 else grid[0]
        ranks = random_rank(batch_size, places, device=device, generator=generator)
        is_hidden = ranks < share_of(places, self.ratio)  # (BS, places)
        if len(grid) == 3:
            return is_hidden.repeat(1, grid[0])
        return is_hidden.repeat_interleave(grid[1], 1)
