"""The backbone's own attention."""

from __future__ import annotations

import torch
from torch import Tensor

from mart_mm.models.backbones.base import BackboneOutput, StreamSpec
from mart_mm.models.heads.polarity_consistent import STREAMS
from mart_mm.models.importance.base import Importance
from mart_mm.registry import MODELS


@MODELS.register_module()
class SelfAttention(Importance):
    """Where the segment's feature looks in an unmasked pass (AttMask, MST: the class token's row).

    Args:
        stream_name: Whose attention: ``'visual'`` or ``'audio'``.

    Raises:
        ValueError: For another stream.
    """

    needs_output = True

    def __init__(self, *, stream_name: str) -> None:
        super().__init__()
        if stream_name not in STREAMS:
            raise ValueError(f'stream_name={stream_name!r}: choose one of {STREAMS}')
        self.stream_name = stream_name

    def forward(
        self,
        inputs: dict,
        stream: StreamSpec,
        output: BackboneOutput | None,
        *,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Score; ``inputs`` and ``generator`` are not used. See :class:`Importance`.

        Raises:
            ValueError: When the pass was made without attention.
        """
        attention = None if output is None else getattr(output, f'{self.stream_name}_attention')
        if attention is None:
            raise ValueError(
                f'SelfAttention(stream_name={self.stream_name!r}) needs an unmasked pass of the '
                'backbone with return_attention=True'
            )
        return attention.detach().float()
