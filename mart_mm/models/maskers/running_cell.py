"""Running-cell masking of the decoder (VideoMAE V2: Wang et al., CVPR 2023)."""

from __future__ import annotations

import torch
from torch import Tensor

from mart_mm.models.maskers.base import Masker, check_axes, grid_size
from mart_mm.registry import MODELS


@MODELS.register_module()
class RunningCellMasker(Masker):
    """Cells of 2 x 2 tokens, tiled over each slice, whose hidden places move on by one per slice.

    A cell hides ``4 * ratio`` neighbouring places of its raster order. The first slice's phase is random
    for each segment; where the four phases hide different numbers of tokens (odd planes, t no multiple
    of 4), for the whole batch. Planes of odd extent are tiled beyond their edge and cut.

    In VideoMAE V2 what it hides is not decoded, beside the encoder's own mask.

    Args:
        ratio: Share of hidden tokens: 0.25, 0.5 or 0.75.

    Raises:
        ValueError: For another ratio.
    """

    def __init__(self, *, ratio: float = 0.5) -> None:
        super().__init__()
        if ratio not in (0.25, 0.5, 0.75):
            raise ValueError(f'ratio={ratio}: a cell of 4 tokens can hide 0.25, 0.5 or 0.75')
        self.num_hidden_places = int(4 * ratio)

    def phases(self, grid: tuple[int, int, int], device: torch.device | str) -> Tensor:
        """The four masks that differ in the first slice's phase, bool (4, N)."""
        t, h, w = (torch.arange(extent, device=device) for extent in grid)
        place = 2 * (h % 2)[:, None] + w % 2  # (h, w), raster order within the cell
        start = torch.arange(4, device=device)[:, None] + t  # (4, t)
        place = (start[..., None, None] + place) % 4
        return (place < self.num_hidden_places).flatten(1)

    def num_hidden(self, grid: tuple[int, ...], progress: float) -> int | None:
        """See :class:`Masker`; None where the phases differ, which is decided by chance."""
        if not self._is_even(grid):
            return None
        return self.num_hidden_places * grid_size(grid) // 4

    @staticmethod
    def _is_even(grid: tuple[int, int, int]) -> bool:
        """Whether the four phases hide equally many tokens."""
        return grid[0] % 4 == 0 or grid[1] % 2 == grid[2] % 2 == 0

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
            ValueError: For another grid than (t, h, w).
        """
        check_axes(self, grid, '(t, h, w)')
        draws = batch_size if self._is_even(grid) else 1
        phase = torch.randint(4, (draws,), generator=generator, device=device)
        return self.phases(grid, device)[phase].expand(batch_size, -1)
