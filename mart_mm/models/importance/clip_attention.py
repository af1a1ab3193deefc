"""CLIP's attention (MILAN: Hou et al., 2022)."""

from __future__ import annotations

import torch
from torch import Tensor

from mart_mm.models.backbones.base import BackboneOutput, StreamSpec
from mart_mm.models.importance.base import Importance
from mart_mm.models.layers.frozen_clip import FrozenCLIP, first_frames, pool_to_grid
from mart_mm.registry import MODELS


@MODELS.register_module()
class CLIPAttention(Importance):
    """Where a frozen CLIP's class token looks, in the first frame of each tubelet.

    The last layer's attention, averaged over heads, pooled to the stream's grid.

    Args:
        clip: Arguments of :class:`mart_mm.models.layers.frozen_clip.FrozenCLIP`.
    """

    needs_output = False

    def __init__(self, *, clip: dict | None = None) -> None:
        super().__init__()
        self.clip = FrozenCLIP(**clip or {})

    @torch.no_grad()
    def forward(
        self,
        inputs: dict,
        stream: StreamSpec,
        output: BackboneOutput | None,
        *,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Score ``inputs['pixels']`` (B, S, 3, T, H, W), 0-255. See :class:`Importance`.

        Raises:
            OSError: When CLIP cannot be loaded.
            ValueError: For another stream than one of frames.
        """
        found = self.clip(first_frames(inputs['pixels'], stream))
        return pool_to_grid(found.attention[..., None], found.grid, stream)[..., 0]
