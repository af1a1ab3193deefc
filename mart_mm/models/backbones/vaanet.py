"""The visual stream of VAANet (Zhao et al., AAAI 2020): attention over places and channels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mart_mm.models.backbones.conv_stream import ConvStream
from mart_mm.models.layers.present import RowBatchNorm
from mart_mm.registry import MODELS


class Projection(nn.Sequential):
    """1 x 1 convolution without bias, batch norm, ReLU, on tokens (BS, N, channels)."""

    def __init__(self, in_dims: int, dims: int) -> None:
        super().__init__(nn.Linear(in_dims, dims, bias=False), RowBatchNorm(dims), nn.ReLU())


class SoftAttention(nn.Module):
    """Weights of n things from their features, of mean 1.

    A linear layer scores each one alone; batch norm, tanh; a second one mixes the scores; softmax.

    Args:
        dims: Width of a thing's features.
        count: Number n of things.
    """

    def __init__(self, dims: int, count: int) -> None:
        super().__init__()
        self.score = nn.Linear(dims, 1, bias=False)
        self.norm = RowBatchNorm(1)
        self.mix = nn.Linear(count, count, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Softmax weights (BS, n) of (BS, n, dims); they sum to 1."""
        scores = torch.tanh(self.norm(self.score(x)))[..., 0]
        return self.mix(scores).float().softmax(-1)


@MODELS.register_module()
class VAANetVisualStream(ConvStream):
    """Cells of a 3-D ResNet's map, projected; the segment's feature attends to places and channels.

    Masks and the lexicon attention work on the projected cells; the spatial attention is the
    stream's attention on its tokens.

    Args:
        encoder: Config of a network that returns a feature map (n, channels, t, h, w).
        input_shape: (T, H, W) of a segment's frames.
        embed_dims: Width k of the tokens.
        init_cfg: MMEngine's initialisation config.
    """

    def __init__(
        self,
        *,
        encoder: dict,
        input_shape: tuple[int, int, int],
        embed_dims: int = 512,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            encoder=encoder, input_shape=input_shape, embed_dims=embed_dims, init_cfg=init_cfg
        )
        places = self.spec.num_tokens
        self.spatial = SoftAttention(embed_dims, places)
        self.channel = SoftAttention(places, embed_dims)

    def build_projection(self, feature_dims: int) -> nn.Module:
        """See :class:`ConvStream`."""
        return Projection(feature_dims, self.embed_dims)

    def pool(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Mean of the tokens, weighted by place and channel, and the places' weights."""
        places = self.spatial(tokens)  # (BS, N)
        tokens = tokens * places[..., None] * tokens.shape[1]
        channels = self.channel(tokens.transpose(1, 2))  # (BS, D)
        return (tokens * channels[:, None] * tokens.shape[2]).mean(1), places
