"""Cluster masking of spectrogram patches (SSAST: Gong et al., AAAI 2022)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mart_mm.models.maskers.base import (
    Masker,
    check_axes,
    check_ratio,
    grid_size,
    random_rank,
)
from mart_mm.registry import MODELS


@MODELS.register_module()
class ClusterMasker(Masker):
    """Hide squares of C x C tokens at random places until exactly ``round(ratio * N)`` are hidden.

    C is drawn for each segment. A square begins at a random token and ends at the edge of the grid
    (the official code lets it run over into the next band instead); of the last one, random tokens are
    left out.

    Args:
        ratio: Share of hidden tokens, in [0, 1) (SSAST: 400 of 512).
        min_size: Smallest C.
        max_size: Largest C.

    Raises:
        ValueError: When the sizes are no range.
    """

    def __init__(self, *, ratio: float = 400 / 512, min_size: int = 3, max_size: int = 5) -> None:
        super().__init__()
        self.ratio = check_ratio('ratio', ratio)
        if not 1 <= min_size <= max_size:
            raise ValueError(f'min_size={min_size}, max_size={max_size}: need 1 <= min <= max')
        self.min_size, self.max_size = min_size, max_size

    def num_hidden(self, grid: tuple[int, ...], progress: float) -> int:
        """See :class:`Masker`."""
        return round(self.ratio * grid_size(grid))

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
            ValueError: For another grid than (frequency, time).
        """
        check_axes(self, grid, '(frequency, time)')
        count = grid_size(grid)
        sizes = torch.randint(
            self.min_size, self.max_size + 1, (batch_size, 1), generator=generator, device=device
        )
        # every token begins a square once, in random order: repeats would hide nothing new
        order = random_rank(batch_size, count, device=device, generator=generator)
        begins = order.float().unflatten(1, grid)[:, None]
        hidden_by = torch.zeros(batch_size, count, device=device)  # first square that holds a token
        for size in range(self.min_size, self.max_size + 1):
            padded = F.pad(begins, (size - 1, 0, size - 1, 0), value=float(count))
            first = -F.max_pool2d(-padded, size, stride=1)
            hidden_by = torch.where(sizes == size, first.flatten(1), hidden_by)
        noise = torch.rand(batch_size, count, generator=generator, device=device)
        return (hidden_by + noise).argsort(1).argsort(1) < round(self.ratio * count)
