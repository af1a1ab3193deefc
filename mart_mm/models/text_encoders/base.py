"""The contract of an encoder of cues."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor


class TextEncoder(ABC):
    """Frozen: it is no part of the recogniser's parameters, checkpoints or gradients.

    Attributes:
        dims: Width Dl of a cue's features.
    """

    dims: int

    def __deepcopy__(self, memo: dict) -> TextEncoder:
        """Itself: it never changes, so a copy of the model (as EMA makes) shares it."""
        return self

    @abstractmethod
    def encode(
        self, texts: Sequence[str], cues: Sequence[Sequence[dict]], device: torch.device
    ) -> list[Tensor]:
        """Features of the cues of n segments.

        Args:
            texts: What is said in each segment.
            cues: The segment's cues; each has ``word``, ``span`` in the text and ``affect``.
            device: Where a network runs, if there is one.

        Returns:
            n float tensors (cues of the segment, Dl) on the host, where they are put together.
        """
