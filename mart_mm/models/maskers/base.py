"""The contract of a masking strategy."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Masker(nn.Module, ABC):
    """Decides which tokens are hidden; never touches tokens."""

    @abstractmethod
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
        """Choose.

        Args:
            scores: (BS, N) relevance of tokens, for strategies that rank; None for the others.
            grid: Tokens along each axis of the stream; their product is N.
            progress: Share of the pretraining stage done, in [0, 1].
            batch_size: BS, the number of segments.
            device: Of the result.
            generator: Source of randomness; None takes the global one.

        Returns:
            Bool (BS, N), True where a token is hidden.
        """


def grid_size(grid: tuple[int, ...]) -> int:
    """Number of tokens of a grid."""
    count = 1
    for extent in grid:
        count *= extent
    return count
