"""The contract of an importance: what a masker ranks tokens by."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from mart_mm.models.backbones.base import BackboneOutput, StreamSpec


class Importance(nn.Module, ABC):
    """Scores tokens; has nothing to train.

    Attributes:
        needs_output: Whether it reads an unmasked pass of the backbone (with its attention).
    """

    needs_output: bool

    @abstractmethod
    def forward(
        self,
        inputs: dict,
        stream: StreamSpec,
        output: BackboneOutput | None,
        *,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Score.

        Args:
            inputs: Batch as the data preprocessor returns it.
            stream: Geometry of the stream.
            output: Of the unmasked pass, with attention; None where it is not needed.
            generator: Source of randomness, on the device of the inputs; None takes the global one.

        Returns:
            Float (BS, N), higher is more important, without gradient.
        """
