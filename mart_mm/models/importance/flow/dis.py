"""Dense inverse search (Kroeger et al., ECCV 2016) as OpenCV has it: needs no weights."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from mart_mm.models.importance.flow.base import OpticalFlow
from mart_mm.registry import MODELS

PRESETS = {
    'ultrafast': cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    'fast': cv2.DISOPTICAL_FLOW_PRESET_FAST,
    'medium': cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}
MIN_SIDE = 12  # OpenCV refuses smaller pictures


@MODELS.register_module()
class DISFlow(OpticalFlow):
    """Optical flow on the CPU, pair by pair.

    Args:
        preset: ``'ultrafast'``, ``'fast'`` or ``'medium'``.

    Raises:
        ValueError: For another preset.
    """

    def __init__(self, *, preset: str = 'fast') -> None:
        super().__init__()
        if preset not in PRESETS:
            raise ValueError(f'preset={preset!r}: choose one of {tuple(PRESETS)}')
        self.preset = preset

    def estimate(self, frames: Tensor, neighbours: Tensor) -> Tensor:
        """See :class:`OpticalFlow`.

        Raises:
            ValueError: For frames of fewer than 12 pixels a side.
        """
        if min(frames.shape[2:]) < MIN_SIDE:
            raise ValueError(
                f'DISFlow needs frames of {MIN_SIDE} x {MIN_SIDE} pixels or more, got '
                f'{tuple(frames.shape[2:])}: choose a larger img_size'
            )
        # made here: OpenCV's object can neither be copied (by EMA) nor pickled
        method = cv2.DISOpticalFlow_create(PRESETS[self.preset])
        pairs = zip(_grey(frames), _grey(neighbours), strict=True)
        flow = np.stack([method.calc(first, second, None) for first, second in pairs])
        return torch.from_numpy(flow).permute(0, 3, 1, 2).to(frames.device)


def _grey(frames: Tensor) -> np.ndarray:
    """Brightness of frames (n, 3, H, W) as uint8 (n, H, W)."""
    weights = torch.tensor([0.299, 0.587, 0.114], device=frames.device).view(3, 1, 1)
    grey = (frames.float() * weights).sum(1)
    return grey.round().clamp(0, 255).to(torch.uint8).cpu().numpy()
