"""Cube masking (MaskFeat: Wei et al., CVPR 2022)."""

from __future__ import annotations

import math
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F

from mart_mm.models.layers.transfer import on_device
from mart_mm.models.maskers.base import Masker, check_axes, check_ratio, grid_size
from mart_mm.registry import MODELS


@MODELS.register_module()
class CubeMasker(Masker):
    """Hide random boxes of tokens until ``round(ratio * N)`` are hidden.

    A box spans between ``h w // 5`` and ``h w`` places, of an aspect between ``min_aspect`` and its
    inverse, and 1 to t moments, at a random position. It is taken when its sides are below h and w and
    it hides something new, but not more than is left to hide; when 100 boxes in a row are refused a
    segment is done, mostly a few tokens short (of the 157 on 8 x 7 x 7 at 0.4, 155.6 are hidden on
    average, at least about 141). A grid (frequency, time) is taken as one moment.

    Args:
        ratio: Share of hidden tokens, in [0, 1).
        min_aspect: Smallest aspect (height over width) of a box.
        exact: Whether the missing tokens are hidden at random, so that each segment hides exactly
            ``round(ratio * N)``; otherwise (as published) counts differ and tokens cannot be dropped.
    """

    num_tries = 100

    def __init__(self, *, ratio: float = 0.4, min_aspect: float = 0.3, exact: bool = True) -> None:
        super().__init__()
        self.ratio = check_ratio('ratio', ratio)
        if not 0 < min_aspect <= 1:
            raise ValueError(f'min_aspect={min_aspect}: give a number in (0, 1]')
        self.min_aspect, self.exact = min_aspect, exact

    def num_hidden(self, grid: tuple[int, ...], progress: float) -> int | None:
        """See :class:`Masker`; known where ``exact``."""
        return round(self.ratio * grid_size(grid)) if self.exact else None

    def forward(
        self,
        scores: Tensor | None,
        grid: tuple[int, ...],
        progress: float,
        *,
        batch_size: int,
        device: torch.device | str = 'cpu',
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Choose; ``scores`` and ``progress`` are not used. See :class:`Masker`.

        Boxes are drawn until enough is hidden, so this happens on the host, or where the
        ``generator`` is: no device has to say whether it is enough.

        Raises:
            ValueError: For a grid without a plane.
        """
        target, device = device, 'cpu' if generator is None else generator.device
        check_axes(self, grid, '(t, h, w)', '(frequency, time)')
        grid = grid if len(grid) == 3 else (1, *grid)
        count = grid_size(grid)
        wanted = round(self.ratio * count)
        is_masked = torch.zeros(batch_size, *grid, dtype=torch.bool, device=device)
        is_done = torch.zeros(batch_size, 1, dtype=torch.bool, device=device)
        while not bool(is_done.all()):
            begins, ends = self.boxes(grid, batch_size, device, generator)
            added = count_inside(~is_masked, begins, ends)  # (BS, tries)
            left = wanted - is_masked.flatten(1).sum(1, keepdim=True)
            is_fit = (added > 0) & (added <= left)
            is_done |= ~is_fit.any(1, keepdim=True)
            first = is_fit.int().argmax(1)[None, :, None].expand(3, -1, -1)
            box = fill(grid, begins.gather(2, first)[..., 0], ends.gather(2, first)[..., 0])
            is_masked |= box & ~is_done[..., None, None]
        is_masked = is_masked.flatten(1)
        if self.exact:
            noise = torch.rand(batch_size, count, generator=generator, device=device)
            order = (noise + is_masked).argsort(1, descending=True).argsort(1)
            is_masked = order < wanted
        return on_device(is_masked, target)

    def boxes(
        self,
        grid: tuple[int, int, int],
        batch_size: int,
        device: torch.device | str,
        generator: torch.Generator | None,
    ) -> tuple[Tensor, Tensor]:
        """Random boxes, each axis from a begin up to, not including, an end.

        A shape that is refused, of a side as long as the plane's, is empty.

        Returns:
            Begins and ends, long (3, BS, tries).
        """
        draw = torch.rand(6, batch_size, self.num_tries, generator=generator, device=device)
        plane = grid[1] * grid[2]
        area = plane // 5 + draw[0] * (plane - plane // 5)
        aspect = ((2 * draw[1] - 1) * -math.log(self.min_aspect)).exp()
        height, width = (area * aspect).sqrt().round(), (area / aspect).sqrt().round()
        sides = torch.stack([1 + (draw[2] * grid[0]).floor(), height, width]).long()
        sides *= (height < grid[1]) & (width < grid[2])
        extents = torch.tensor(grid, device=device)[:, None, None]
        begins = (draw[3:] * (extents - sides + 1)).long()
        return begins, begins + sides


def count_inside(is_counted: Tensor, begins: Tensor, ends: Tensor) -> Tensor:
    """How many tokens of each box are counted, by a summed-volume table.

    Args:
        is_counted: Bool (BS, t, h, w).
        begins: Long (3, BS, boxes).
        ends: Likewise, exclusive.

    Returns:
        Long (BS, boxes).
    """
    table = F.pad(is_counted.long(), (1, 0) * 3).cumsum(1).cumsum(2).cumsum(3)
    rows, columns = table.shape[2:]
    table = table.flatten(1)
    total = torch.zeros_like(begins[0])
    for corner in product((0, 1), repeat=3):
        z, y, x = (ends[axis] if is_end else begins[axis] for axis, is_end in enumerate(corner))
        total += (-1) ** (3 - sum(corner)) * table.gather(1, (z * rows + y) * columns + x)
    return total


def fill(grid: tuple[int, int, int], begins: Tensor, ends: Tensor) -> Tensor:
    """One box for each segment, bool (BS, t, h, w), from begins and ends (3, BS)."""
    inside = []
    for extent, begin, end in zip(grid, begins, ends, strict=True):
        place = torch.arange(extent, device=begins.device)
        inside.append((place >= begin[:, None]) & (place < end[:, None]))
    t, h, w = inside
    return t[:, :, None, None] & h[:, None, :, None] & w[:, None, None, :]
