"""What the last visits left of each video, the same on all processes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmengine.dist import all_gather
from torch import Tensor, nn


class VideoMemory(nn.Module):
    """A table of tensors by video, in buffers: checkpoints hold it, and a resumed run goes on with it.

    A video gets a row when it is first written. When all rows are taken, the row given out longest ago
    is given to the next new video. Rows are found by comparing identities on the device, so neither
    reading nor writing makes the host wait.

    Args:
        num_videos: Rows V; with fewer than the training set has videos, some are forgotten before they
            are seen again.
        shapes: Shape of what is kept of a video, by name.

    Raises:
        ValueError: For less than one row.
    """

    def __init__(self, num_videos: int, shapes: Mapping[str, tuple[int, ...]]) -> None:
        super().__init__()
        if num_videos < 1:
            raise ValueError(f'num_videos={num_videos}: give the number of training videos')
        self.register_buffer('identity', torch.zeros(num_videos, dtype=torch.long))
        self.register_buffer('is_filled', torch.zeros(num_videos, dtype=torch.bool))
        self.register_buffer('place', torch.zeros((), dtype=torch.long))  # the next row given out
        self.names = tuple(shapes)
        for name, shape in shapes.items():
            self.register_buffer(f'{name}_values', torch.zeros(num_videos, *shape))

    def read(self, identity: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """What is kept of videos.

        Args:
            identity: Long (B,), see :func:`mart_mm.models.layers.identity.identities`.

        Returns:
            Float32 (B, ...) by name, without meaning for videos that are not known; and bool (B,), which
            are known.
        """
        rows, is_known = self._find(identity)
        return {name: self._table(name).index_select(0, rows) for name in self.names}, is_known

    @torch.no_grad()
    def write(self, identity: Tensor, values: Mapping[str, Tensor]) -> None:
        """Keep what the steps of all processes saw, each of the same number of videos.

        Of a video that is given twice the last one is kept, in the order of processes.

        Args:
            identity: Long (B,).
            values: (B, ...) by name.
        """
        identity = torch.cat(all_gather(identity.contiguous()))  # (G,)
        rows = self._rows(identity)
        # rows written twice get the same values twice: the order of writing has no say
        last = len(rows) - 1 - _same(rows).flip(1).byte().argmax(1)
        self.identity[rows] = identity[last]
        self.is_filled[rows] = True
        for name in self.names:
            table = self._table(name)
            given = torch.cat(all_gather(values[name].to(table.dtype).contiguous()))
            table.index_copy_(0, rows, given[last])

    def _table(self, name: str) -> Tensor:
        return getattr(self, f'{name}_values')

    def _find(self, identity: Tensor) -> tuple[Tensor, Tensor]:
        """Row (B,) of each video, 0 where there is none; and whether there is one."""
        is_own = (identity[:, None] == self.identity) & self.is_filled  # (B, V)
        return is_own.byte().argmax(1), is_own.any(1)

    def _rows(self, identity: Tensor) -> Tensor:
        """Row (G,) of each video; those that have none get the next ones."""
        rows, is_known = self._find(identity)
        first = _same(identity).byte().argmax(1)  # where each video stands first
        is_new = ~is_known & (first == torch.arange(len(first), device=first.device))
        new = (self.place + is_new.cumsum(0) - 1) % len(self.identity)
        self.place.copy_((self.place + is_new.sum()) % len(self.identity))
        return torch.where(is_known, rows, new[first])


def _same(x: Tensor) -> Tensor:
    """Which entries of (G,) are equal, bool (G, G)."""
    return x[:, None] == x
