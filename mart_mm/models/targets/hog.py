"""Histograms of oriented gradients as recovery target (MaskFeat: Wei et al., CVPR 2022)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.layers.frozen_clip import first_frames
from mart_mm.models.targets.base import RecoverySpec, extract_patches
from mart_mm.models.targets.patch import PatchTarget, check_frames
from mart_mm.registry import MODELS


def oriented_gradients(pictures: Tensor, *, cell: int, bins: int) -> Tensor:
    """Histograms of the gradients' directions in square cells.

    Per channel: Sobel gradients with reflected edges, directions without sign in ``bins`` equal bins
    from 0 to pi, each pixel with the weight of its magnitude; unit L2 norm of each histogram, zero for
    a cell without gradient.

    Args:
        pictures: (n, channels, H, W), float.
        cell: Side of a cell in pixels; what is left over at the right and the bottom is not used.
        bins: Bins of a histogram.

    Returns:
        (n, channels * bins, H // cell, W // cell).
    """
    x = F.pad(pictures, (1, 1, 1, 1), mode='reflect')
    across = x[..., :-2] - x[..., 2:]
    down = x[..., :-2, :] - x[..., 2:, :]
    gx = across[..., :-2, :] + 2 * across[..., 1:-1, :] + across[..., 2:, :]
    gy = down[..., :-2] + 2 * down[..., 1:-1] + down[..., 2:]
    magnitude = torch.hypot(gx, gy)
    place = (torch.atan2(gx, gy) / math.pi * bins).floor().remainder(bins)
    histograms = [F.avg_pool2d(torch.where(place == b, magnitude, 0.0), cell) for b in range(bins)]
    return F.normalize(torch.stack(histograms, 2), dim=2).flatten(1, 2)


@MODELS.register_module()
class HOGTarget(PatchTarget):
    """Oriented gradients of a tubelet's first frame, by mean squared error.

    A patch of 16 pixels has 3 channels x 9 bins x 2 x 2 cells = 108 values.

    Args:
        spec: What it is built for.
        bins: Directions.
        cell: Side of a cell in pixels, a divisor of the patch and of its stride.
        loss_weight: Weight of the loss.

    Raises:
        ValueError: When the cells do not tile the patches, or for a stream without frames.
    """

    loss_name = 'loss_hog'

    def __init__(
        self, spec: RecoverySpec, *, bins: int = 9, cell: int = 8, loss_weight: float = 1.0
    ) -> None:
        check_frames(self, spec.stream)
        patch, stride = spec.stream.patch[1:], spec.stream.stride[1:]
        if any(extent % cell for extent in (*patch, *stride)):
            raise ValueError(
                f'cell={cell} does not divide patches of {patch} pixels, {stride} apart: choose '
                f'a divisor of {math.gcd(*patch, *stride)}'
            )
        cells = StreamSpec(
            spec.stream.input_shape[1:],
            spec.stream.grid[1:],
            tuple(extent // cell for extent in patch),
            tuple(extent // cell for extent in stride),
        )
        out_dims = 3 * bins * math.prod(cells.patch)
        super().__init__(spec, out_dims=out_dims, loss_weight=loss_weight)
        self.bins, self.cell, self.cells = bins, cell, cells

    def raw_patches(self, inputs: dict) -> Tensor:
        """(BS, N, dims) from ``inputs['pixels']`` (B, S, 3, T, H, W), 0-255."""
        frames = first_frames(inputs['pixels'], self.stream).float()  # (BS * t, 3, H, W)
        needed = [
            (grid - 1) * stride + patch
            for grid, stride, patch in zip(
                self.stream.grid[1:], self.stream.stride[1:], self.stream.patch[1:], strict=True
            )
        ]
        if any(n > extent for n, extent in zip(needed, frames.shape[2:], strict=True)):
            frames = F.interpolate(frames, size=needed, mode='bilinear', align_corners=False)
        cells = oriented_gradients(frames, cell=self.cell, bins=self.bins)
        patches = extract_patches(cells, self.cells)  # (BS * t, h * w, channels, elements)
        values = patches.transpose(2, 3).flatten(2)
        return values.unflatten(0, (-1, self.stream.grid[0])).flatten(1, 2)
