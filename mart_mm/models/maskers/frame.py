"""Frame masking: hide whole moments (an option of MaskFeat, Wei et al., CVPR 2022)."""

from __future__ import annotations

import torch
from torch import Tensor

from mart_mm.models.maskers.base import Masker, check_axes, check_ratio, grid_size, random_rank
from mart_mm.registry import MODELS


@MODELS.register_module()
class FrameMasker(Masker):
    """Hide all tokens of ``round(t * ratio)`` random moments of each segment.

    A moment is a slice (h, w) of a grid (t, h, w), or all bands of a grid (frequency, time).

    Args:
        ratio: Share of hidden moments, in [0, 1); 0.4 hides 3 of 8.
    """

    def __init__(self, *, ratio: float = 0.4) -> None:
        super().__init__()
        self.ratio = check_ratio('ratio', ratio)

    def num_hidden(self, grid: tuple[int, ...], progress: float) -> int:
        """See :class:`Masker`."""
        moments = grid[0] if len(grid) == 3 else grid[1]
        return round(moments * self.ratio) * grid_size(grid) // moments

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
            ValueError: For a grid without moments, or when none or all would be hidden.
        """
        check_axes(self, grid, '(t, h, w)', '(frequency, time)')
        moments = grid[0] if len(grid) == 3 else grid[1]
        hidden = round(moments * self.ratio)
        if not 0 < hidden < moments:
            raise ValueError(
                f'FrameMasker(ratio={self.ratio}) would hide {hidden} of {moments} moments of the grid '
                f'{grid}: choose a ratio that hides some and not all'
            )
        is_hidden = random_rank(batch_size, moments, device=device, generator=generator) < hidden
        shape = (-1, moments, 1, 1) if len(grid) == 3 else (-1, 1, moments)
        return is_hidden.view(shape).expand(-1, *grid).flatten(1)
