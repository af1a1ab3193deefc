"""Features of the last batches, as further negatives."""

from __future__ import annotations

from typing import NamedTuple

import torch
from mmengine.dist import all_gather
from torch import Tensor, nn


class PairFeatures(NamedTuple):
    """Features of n videos and of what is said in them.

    Attributes:
        video: (n, D), unit vectors.
        text: (n, D), unit vectors; without meaning for videos without words.
        has_words: Bool (n,).
        identity: Long (n,), see :func:`mart_mm.models.layers.identity.identities`.
    """

    video: Tensor
    text: Tensor
    has_words: Tensor
    identity: Tensor


class PairQueue(nn.Module):
    """Ring of the last features of all processes, the same on each of them.

    It starts empty. Nothing is a negative before it has been a sample.

    Args:
        size: Q; with 0 there is no queue.
        dims: Width D of the features.

    Raises:
        ValueError: For a negative size.
    """

    def __init__(self, size: int, dims: int) -> None:
        super().__init__()
        if size < 0:
            raise ValueError(f'queue_size={size}: 0 (no queue) or more')
        self.size = size
        self.register_buffer('video', torch.zeros(size, dims))
        self.register_buffer('text', torch.zeros(size, dims))
        self.register_buffer('has_words', torch.zeros(size, dtype=torch.bool))
        self.register_buffer('identity', torch.zeros(size, dtype=torch.long))
        self.register_buffer('is_filled', torch.zeros(size, dtype=torch.bool))
        self.register_buffer('place', torch.zeros((), dtype=torch.long))

    def behind(self, batch: PairFeatures) -> tuple[PairFeatures, Tensor]:
        """The batch, then the queue.

        Returns:
            Features of B + Q, and bool (B, B + Q): True where the two are different videos.
        """
        every = PairFeatures(
            *(torch.cat([own, getattr(self, name)]) for name, own in batch._asdict().items())
        )
        is_real = torch.cat([torch.ones_like(batch.has_words), self.is_filled])
        return every, is_real & (batch.identity[:, None] != every.identity)

    @torch.no_grad()
    def push(self, batch: PairFeatures) -> None:
        """Put the batches of all processes in the place of the oldest entries."""
        if not self.size:
            return
        gathered = {
            name: torch.cat(all_gather(value.contiguous()))[-self.size :]
            for name, value in batch._asdict().items()
        }
        count = len(gathered['identity'])
        places = (self.place + torch.arange(count, device=self.place.device)) % self.size
        for name, value in gathered.items():
            own = getattr(self, name)
            own[places] = value.to(own.dtype)
        self.is_filled[places] = True
        self.place.copy_((self.place + count) % self.size)
