"""A map of what is visible that moves with the picture (MGMAE: Huang et al., ICCV 2023)."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor
from torch.nn import functional as F

from mart_mm.models.backbones.base import BackboneOutput, StreamSpec
from mart_mm.models.importance.base import Importance
from mart_mm.models.maskers.base import check_ratio, random_rank, share_of
from mart_mm.models.targets.base import extract_patches
from mart_mm.registry import MODELS


@MODELS.register_module()
class MotionVisibleMap(Importance):
    """Bumps at random patches of the middle frame, carried along the optical flow to all others.

    ``h w - int(ratio * h w)`` patches get a bump ``exp(-(d / patch)^2)`` of the distance d to their
    centre; where bumps meet, the higher counts. Frame by frame away from the middle the map is warped
    backward: a pixel takes the value of the place its flow points to, in the neighbour nearer to the
    middle. What comes from outside the picture takes the middle frame's value ('consist'). A token's
    score is the sum of the map over its patch; ``MotionGuidedMasker`` keeps the highest.

    Against the published code the flow points the right way in both halves of the clip, and a flow of
    one pixel moves the map by one pixel.

    Args:
        flow: Config of an :class:`mart_mm.models.importance.flow.base.OpticalFlow`.
        ratio: Share of patches without a bump, in [0, 1); the masker's ratio.
    """

    needs_output = False

    def __init__(self, *, flow: dict, ratio: float = 0.9) -> None:
        super().__init__()
        self.flow = MODELS.build(flow)
        self.ratio = check_ratio('ratio', ratio)

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
            ValueError: For another stream than one of frames.
        """
        if len(stream.grid) != 3:
            raise ValueError(
                f'MotionVisibleMap follows moving pictures; the stream has the grid {stream.grid}: '
                'use it for the visual stream'
            )
        frames = inputs['pixels'].flatten(0, 1).transpose(1, 2)  # (BS, T, 3, H, W)
        middle = frames.shape[1] // 2
        start = self.bumps(frames.shape[0], stream, frames.device, generator)
        maps = propagate(start, self.flow(frames, middle), middle)  # (BS, T, H, W)
        return extract_patches(maps[:, None], stream).sum((2, 3))

    def bumps(
        self,
        batch_size: int,
        stream: StreamSpec,
        device: torch.device,
        generator: torch.Generator | None,
    ) -> Tensor:
        """Maps (BS, H, W) of the middle frame, 1 at most."""
        places = prod(stream.grid[1:])
        shown = places - share_of(places, self.ratio)
        ranks = random_rank(batch_size, places, device=device, generator=generator)
        centres = ranks.argsort(1)[:, :shown]  # (BS, shown)
        profiles = []
        for axis, index in ((1, centres // stream.grid[2]), (2, centres % stream.grid[2])):
            patch, stride = stream.patch[axis], stream.stride[axis]
            pixel = torch.arange(stream.input_shape[axis], device=device, dtype=torch.float32)
            centre = index[..., None] * stride + (patch - 1) / 2
            profiles.append((-(((pixel - centre) / patch) ** 2)).exp())  # (BS, shown, extent)
        start = (profiles[0][..., :, None] * profiles[1][..., None, :]).amax(1)
        return start / start.amax((1, 2), keepdim=True)


def propagate(start: Tensor, flow: Tensor, middle: int) -> Tensor:
    """Carry a map of the middle frame to all frames.

    Args:
        start: (BS, H, W), the map of frame ``middle``.
        flow: (BS, T, 2, H, W), (x, y) displacement in pixels of each pixel of a frame to its place in
            the neighbour nearer to ``middle``; that of ``middle`` itself is not read.
        middle: Index of a frame.

    Returns:
        (BS, T, H, W).
    """
    maps = {middle: start}
    for frames, nearer in ((range(middle - 1, -1, -1), 1), (range(middle + 1, flow.shape[1]), -1)):
        for frame in frames:
            moved = warp(maps[frame + nearer], flow[:, frame])
            maps[frame] = torch.where(moved == 0, start, moved)
    return torch.stack([maps[frame] for frame in range(flow.shape[1])], 1)


def warp(picture: Tensor, flow: Tensor) -> Tensor:
    """Backward warping: each pixel takes the (bilinear) value of the place its flow points to.

    Args:
        picture: (n, H, W).
        flow: (n, 2, H, W), (x, y) in pixels.

    Returns:
        (n, H, W), 0 where the place lies outside.
    """
    height, width = picture.shape[1:]
    x = torch.arange(width, device=flow.device) + flow[:, 0]
    y = torch.arange(height, device=flow.device)[:, None] + flow[:, 1]
    # to [-1, 1] at the centres of the outermost pixels
    places = torch.stack([2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1], -1)
    warped = F.grid_sample(picture[:, None], places, padding_mode='zeros', align_corners=True)
    return warped[:, 0]
