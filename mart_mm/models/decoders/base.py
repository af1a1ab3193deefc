"""The contract of a decoder, and what decoders share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn


class DecodedTokens(NamedTuple):
    """Features of those tokens that were decoded, of R of the BS segments.

    Attributes:
        features: (R, n, dims).
        index: Long (R, n), which of the segment's N tokens each one is; None: all N in their order.
        num_visible: How many leading ones are tokens that the encoder saw. The rest is hidden, except
            where ``index`` is None or a second masker chose what is decoded: there it is 0, and only
            ``is_masked`` tells them apart.
        embed: (R, dims), the feature of the segment as a whole; None where the decoder keeps no class
            token or it was not asked for.
        rows: Long (R,), the segments that were decoded; None: all BS.
    """

    features: Tensor
    index: Tensor | None = None
    num_visible: int = 0
    embed: Tensor | None = None
    rows: Tensor | None = None

    def hidden(self) -> DecodedTokens:
        """The same without the leading visible tokens."""
        if not self.num_visible:
            return self
        start = self.num_visible
        return DecodedTokens(self.features[:, start:], self.index[:, start:], rows=self.rows)

    def pick_segments(self, values: Tensor) -> Tensor:
        """Values of these segments from those of all: (BS, ...) -> (R, ...)."""
        return values if self.rows is None else values.index_select(0, self.rows)

    def pick(self, values: Tensor) -> Tensor:
        """Values of these tokens from those of all: (BS, N, ...) -> (R, n, ...)."""
        values = self.pick_segments(values)
        if self.index is None:
            return values
        rows = torch.arange(len(values), device=values.device)[:, None] * values.shape[1]
        picked = values.flatten(0, 1).index_select(0, (self.index + rows).flatten())
        return picked.unflatten(0, self.index.shape)


class Decoder(nn.Module, ABC):
    """Turns the tokens of a masked pass into features, for the targets' heads.

    Built with ``in_dims`` (width D of the encoder's tokens), ``grid`` (tokens along each axis; N is their
    product) and ``with_mask_token`` (whether the encoder's tokens at hidden places, if there are any,
    must not be read) by :class:`mart_mm.models.pretext.recovery_branch.RecoveryBranch`, the rest by
    config.

    Attributes:
        dims: Width of its features.
    """

    dims: int

    @abstractmethod
    def forward(
        self,
        tokens: Tensor,
        embed: Tensor,
        is_masked: Tensor,
        *,
        is_dropped: bool,
        index: Tensor | None = None,
        with_visible: bool = True,
    ) -> DecodedTokens:
        """Decode.

        Args:
            tokens: (BS, N, D), or only the visible ones in their order (BS, visible, D) where they
                were dropped.
            embed: (BS, D), the encoder's feature of the segment.
            is_masked: Bool (BS, N).
            is_dropped: Whether hidden tokens are missing from ``tokens``.
            index: Long (BS, n), the only tokens to decode, whether hidden or not; None: all that are
                hidden.
            with_visible: Whether visible tokens and the segment as a whole are asked for too, where
                ``index`` is None.
        """


def split_indices(is_masked: Tensor, num_visible: int) -> tuple[Tensor, Tensor]:
    """Indices of visible and of hidden tokens, each in their order, without asking the device.

    Args:
        is_masked: Bool (BS, N), N - num_visible True in each row.
        num_visible: Tokens that stay.

    Returns:
        Long (BS, num_visible) and (BS, N - num_visible).
    """
    order = is_masked.to(torch.uint8).argsort(dim=1, stable=True)  # visible first
    return order[:, :num_visible], order[:, num_visible:]
