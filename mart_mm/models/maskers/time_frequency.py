"""Masking of whole bands and moments of a spectrogram (AudioMAE: Huang et al., NeurIPS 2022)."""

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
class TimeFrequencyMasker(Masker):
    """Hide random moments and, independently, random frequency bands: the union of both.

    ``int(time * (1 - time_ratio)) * int(frequency * (1 - frequency_ratio))`` tokens stay visible.

    Args:
        time_ratio: Share of hidden moments, in [0, 1) (AudioMAE's 2-D option: 0.6).
        frequency_ratio: Share of hidden bands, in [0, 1) (0.5).
    """

    def __init__(self, *, time_ratio: float = 0.6, frequency_ratio: float = 0.5) -> None:
        super().__init__()
        self.time_ratio = check_ratio('time_ratio', time_ratio)
        self.frequency_ratio = check_ratio('frequency_ratio', frequency_ratio)

    def num_hidden(self, grid: tuple[int, ...], progress: float) -> int:
        """See :class:`Masker`."""
        bands, moments = (
            share_of(extent, 1 - ratio)
            for extent, ratio in zip(grid, (self.frequency_ratio, self.time_ratio), strict=True)
        )
        return grid_size(grid) - bands * moments

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
        is_hidden = [
            random_rank(batch_size, extent, device=device, generator=generator)
            >= share_of(extent, 1 - ratio)
            for extent, ratio in zip(grid, (self.frequency_ratio, self.time_ratio), strict=True)
        ]
        return (is_hidden[0][:, :, None] | is_hidden[1][:, None, :]).flatten(1)
