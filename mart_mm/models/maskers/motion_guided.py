"""Motion-guided masking (MGMAE: Huang et al., ICCV 2023)."""

from __future__ import annotations

import torch
from torch import Tensor

from mart_mm.models.maskers.base import (
    Masker,
    check_axes,
    check_ratio,
    check_scores,
    rank,
    share_of,
)
from mart_mm.registry import MODELS


@MODELS.register_module()
class MotionGuidedMasker(Masker):
    """Keep in each slice the ``int(h w * (1 - ratio))`` tokens of the highest score.

    The score is a map of what is visible that moves with the picture: ``MotionVisibleMap``.

    Args:
        ratio: Share of hidden tokens, in [0, 1).
    """

    def __init__(self, *, ratio: float = 0.9) -> None:
        super().__init__()
        self.ratio = check_ratio('ratio', ratio)

    def num_hidden(self, grid: tuple[int, ...], progress: float) -> int:
        """See :class:`Masker`."""
        places = grid[1] * grid[2]
        return grid[0] * (places - share_of(places, 1 - self.ratio))

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
        """Choose; ``scores`` are needed, ``progress`` and ``generator`` are not used.

        Ties go to the first token of a slice. See :class:`Masker`.

        Raises:
            ValueError: For another grid than (t, h, w); without scores that fit it.
        """
        check_axes(self, grid, '(t, h, w)')
        scores = check_scores(self, scores, grid, batch_size).unflatten(1, (grid[0], -1))
        return (rank(scores) >= share_of(scores.shape[-1], 1 - self.ratio)).flatten(1)
