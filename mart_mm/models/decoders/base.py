"""The contract of a decoder."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Decoder(nn.Module, ABC):
    """Turns the tokens of a masked pass into features of all tokens, for the targets' heads.

    Attributes:
        dims: Width of its features.
    """

    dims: int

    @abstractmethod
    def forward(self, tokens: Tensor, is_masked: Tensor, *, is_dropped: bool) -> Tensor:
        """Decode.

        Args:
            tokens: (BS, N, D), or only the visible ones (BS, visible, D) where they were dropped.
            is_masked: Bool (BS, N).
            is_dropped: Whether hidden tokens are missing from ``tokens``.

        Returns:
            (BS, N, dims).
        """
