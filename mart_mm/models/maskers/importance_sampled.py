"""Semantic-aware masking (MILAN: Hou et al., 2022)."""

from __future__ import annotations

import torch
from torch import Tensor

from mart_mm.models.maskers.base import (
    Masker,
    check_ratio,
    check_scores,
    grid_size,
    rank,
    share_of,
)
from mart_mm.registry import MODELS


@MODELS.register_module()
class ImportanceSampledMasker(Masker):
    """Keep ``int(N * (1 - ratio))`` tokens, drawn without replacement in proportion to their score.

    What matters tends to stay visible, the opposite of MART. MILAN's score is CLIP's attention
    (``CLIPAttention``). Any grid. Tokens of score 0 are kept only when the others do not suffice.

    Args:
        ratio: Share of hidden tokens, in [0, 1).
    """

    def __init__(self, *, ratio: float = 0.75) -> None:
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
        """Choose; ``scores`` are needed, ``progress`` is not used. See :class:`Masker`.

        Raises:
            ValueError: Without scores that fit the grid; on CPU, when one is negative or NaN.
        """
        scores = check_scores(self, scores, grid, batch_size)
        # elsewhere asking would make the host wait; a score below 0 is then never kept
        if scores.device.type == 'cpu' and not bool((scores >= 0).all()):
            raise ValueError(
                'ImportanceSampledMasker draws in proportion to scores: one is below 0'
            )
        # Gumbel noise on the logarithm: the highest are a draw without replacement
        noise = torch.rand(scores.shape, generator=generator, device=scores.device)
        order = rank(scores.float().log() - noise.clamp(min=1e-12).log().neg().log())
        return order >= share_of(scores.shape[1], 1 - self.ratio)
