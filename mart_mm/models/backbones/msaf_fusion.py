"""The fusion of MSAF (Su et al., arXiv 2012.07175): blocks of channels compete across modalities."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mart_mm.models.layers.present import RowBatchNorm


class MSAFFusion(nn.Module):
    """Multimodal split attention fusion: one softmax over the channel blocks of all modalities.

    Channels are split into blocks of equal size, the last one padded. A modality's blocks are added
    up and averaged over places; the sum over modalities makes a joint feature. From it each block gets
    an attention on its channels, which competes with all other blocks'. An absent modality adds nothing
    to the joint feature, gets no attention, and its map becomes zero.

    Args:
        channels: Channels by modality.
        block_channels: Channels of a block.
        reduction: Width of a block over that of the joint feature.
        block_dropout: Probability that a block is left out, in training.
        lowest_attention: Attention is mapped to ``lowest + (1 - lowest) * attention``.

    Raises:
        ValueError: When a block is narrower than ``reduction``.
    """

    def __init__(
        self,
        channels: dict[str, int],
        *,
        block_channels: int,
        reduction: int = 4,
        block_dropout: float = 0.2,
        lowest_attention: float = 0.0,
    ) -> None:
        super().__init__()
        if block_channels < reduction:
            raise ValueError(f'block_channels={block_channels}: at least reduction={reduction}')
        self.channels, self.block_channels = channels, block_channels
        self.block_dropout, self.lowest_attention = block_dropout, lowest_attention
        self.num_blocks = {name: -(-count // block_channels) for name, count in channels.items()}
        reduced = block_channels // reduction
        self.joint = nn.Sequential(
            nn.Linear(block_channels, reduced), RowBatchNorm(reduced), nn.ReLU()
        )
        total = sum(self.num_blocks.values())
        self.attend = nn.Linear(reduced, total * block_channels)  # all blocks' layers at once

    def forward(self, maps: dict[str, Tensor], is_present: dict[str, Tensor]) -> dict[str, Tensor]:
        """Reweigh.

        Args:
            maps: (n, channels, ...) by modality.
            is_present: Bool (n,) by modality.

        Returns:
            Maps of the same shapes.
        """
        blocks = {name: self._split(name, x) for name, x in maps.items()}  # (n, blocks, c, places)
        kept = {}
        for name, x in blocks.items():
            weight = is_present[name].to(x.dtype)[:, None, None, None]
            if self.training and self.block_dropout:
                weight = weight * self._keep(x)
            # where, not a product: what is absent may hold anything
            kept[name] = torch.where(weight > 0, x * weight, torch.zeros_like(x))
        joint = self.joint(sum(x.sum(1).mean(-1) for x in kept.values()))  # (n, reduced)
        scores = self.attend(joint).unflatten(-1, (-1, self.block_channels))  # (n, blocks, c)
        counts = list(self.num_blocks.values())
        has_block = torch.cat(
            [is_present[name][:, None].expand(-1, self.num_blocks[name]) for name in self.channels],
            dim=1,
        )
        has_block = has_block | ~has_block.any(1, keepdim=True)  # no modality at all: no nan
        attention = scores.float().masked_fill(~has_block[..., None], float('-inf')).softmax(1)
        attention = self.lowest_attention + (1 - self.lowest_attention) * attention
        return {
            name: (kept[name] * part[..., None])
            .flatten(1, 2)[:, : self.channels[name]]
            .reshape(maps[name].shape)
            for name, part in zip(self.channels, attention.split(counts, dim=1), strict=True)
        }

    def _split(self, name: str, x: Tensor) -> Tensor:
        """(n, channels, ...) to (n, blocks, block channels, places), padded by zeros."""
        x = x.flatten(2) if x.ndim > 2 else x[..., None]
        padding = self.num_blocks[name] * self.block_channels - x.shape[1]
        return F.pad(x, (0, 0, 0, padding)).unflatten(1, (-1, self.block_channels))

    def _keep(self, x: Tensor) -> Tensor:
        keep = x.new_empty(*x.shape[:2], 1, 1).bernoulli_(1 - self.block_dropout)
        return keep / (1 - self.block_dropout)
