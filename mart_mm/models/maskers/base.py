"""The contract of a masking strategy, and what the strategies share."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from mart_mm.models.layers.token_masking import remember_counts


class Masker(nn.Module, ABC):
    """Decides which tokens are hidden; never touches tokens.

    The mask carries a note of how many tokens each segment hides
    (:func:`mart_mm.models.layers.token_masking.remember_counts`), as far as that is known beforehand.
    """

    def __call__(
        self, scores: Tensor | None, grid: tuple[int, ...], progress: float, **kwargs: object
    ) -> Tensor:
        """:meth:`forward`, and the note."""
        is_masked = super().__call__(scores, grid, progress, **kwargs)
        count = self.num_hidden(grid, progress)
        if count is None:
            return is_masked
        return remember_counts(is_masked, [count] * len(is_masked))

    def num_hidden(self, grid: tuple[int, ...], progress: float) -> int | None:
        """Tokens that each segment hides, known without drawing; None where chance decides.

        Args:
            grid: Tokens along each axis of the stream.
            progress: Share of the pretraining stage done, in [0, 1].
        """
        return None

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
            device: Of the result; strategies that need ``scores`` take theirs.
            generator: Source of randomness, on the device of the result; None takes the global one.

        Returns:
            Bool (BS, N), True where a token is hidden. Every segment hides equally many, so that
            tokens can be dropped, unless the strategy's own page says otherwise.
        """


def grid_size(grid: tuple[int, ...]) -> int:
    """Number of tokens of a grid."""
    count = 1
    for extent in grid:
        count *= extent
    return count


def share_of(count: int, ratio: float) -> int:
    """``int(count * ratio)`` that does not fall below a whole number by rounding of floats."""
    return int(count * ratio + 1e-6)


def check_ratio(name: str, ratio: float) -> float:
    """Refuse what is no share of tokens to hide.

    Raises:
        ValueError: Outside of [0, 1).
    """
    if not 0 <= ratio < 1:
        raise ValueError(f'{name}={ratio}: give a number in [0, 1)')
    return ratio


def check_axes(masker: Masker, grid: tuple[int, ...], *axes: str) -> None:
    """Refuse grids that a strategy has no meaning for.

    Args:
        masker: For the message.
        grid: Tokens along each axis.
        axes: The grids that fit, each named by its axes, e.g. ``'(t, h, w)'``.

    Raises:
        ValueError: When the number of axes is none of those.
    """
    if len(grid) not in {name.count(',') + 1 for name in axes}:
        raise ValueError(
            f'{type(masker).__name__} masks grids {" or ".join(axes)}, and the stream has {grid}: '
            'choose another masker for it, e.g. RandomMasker'
        )


def check_scores(
    masker: Masker, scores: Tensor | None, grid: tuple[int, ...], batch_size: int
) -> Tensor:
    """The scores, without gradient.

    Raises:
        ValueError: Without scores, or when they do not fit the grid.
    """
    shape = (batch_size, grid_size(grid))
    if scores is None or tuple(scores.shape) != shape:
        raise ValueError(
            f'{type(masker).__name__} ranks tokens: it needs scores of shape {shape}, '
            f'got {None if scores is None else tuple(scores.shape)}'
        )
    return scores.detach()


def rank(scores: Tensor) -> Tensor:
    """Place of each score within its row, 0 for the highest; ties go to the first.

    Args:
        scores: (..., N).

    Returns:
        Long (..., N).
    """
    return scores.argsort(dim=-1, descending=True, stable=True).argsort(-1)


def random_rank(
    *shape: int, device: torch.device | str, generator: torch.Generator | None
) -> Tensor:
    """A random order of each row, long of ``shape``."""
    return torch.rand(*shape, generator=generator, device=device).argsort(-1).argsort(-1)
