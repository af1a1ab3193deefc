"""Weights of a video's segments, as VAANet and CTEN learn them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mart_mm.models.layers.present import RowBatchNorm


class TemporalAttention(nn.Module):
    """A weight gamma >= 0 per segment (VAANet, Sec. 3.2; CTEN).

    A linear layer scores each segment alone; batch norm, tanh; a second one mixes the scores of all
    segments; ReLU. At the start all weights are about 1.

    Args:
        dims: Width D of the features.
        num_segments: Segments S of every video.
    """

    def __init__(self, dims: int, num_segments: int) -> None:
        super().__init__()
        self.num_segments = num_segments
        self.score = nn.Linear(dims, 1, bias=False)
        self.norm = RowBatchNorm(1)
        self.mix = nn.Linear(num_segments, num_segments)
        nn.init.ones_(self.mix.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Weights (B, S) of features (B, S, D).

        Raises:
            ValueError: For another number of segments.
        """
        if x.shape[1] != self.num_segments:
            raise ValueError(
                f'a video of {x.shape[1]} segments does not fit a temporal attention built for '
                f'{self.num_segments}: let head.num_segments and SampleSegments.num_segments of all '
                'pipelines agree'
            )
        scores = torch.tanh(self.norm(self.score(x)))[..., 0]
        return self.mix(scores).relu()
