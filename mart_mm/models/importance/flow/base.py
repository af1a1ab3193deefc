"""The contract of an optical flow estimator."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class OpticalFlow(nn.Module, ABC):
    """Says where each pixel of a frame is in a neighbouring frame; has nothing to train."""

    @abstractmethod
    def estimate(self, frames: Tensor, neighbours: Tensor) -> Tensor:
        """Flow between pairs of frames.

        Args:
            frames: (n, 3, H, W), 0-255, RGB.
            neighbours: (n, 3, H, W), likewise.

        Returns:
            Float32 (n, 2, H, W), (x, y) displacement in pixels from a frame to its neighbour.
        """

    @torch.no_grad()
    def forward(self, frames: Tensor, middle: int) -> Tensor:
        """Flow of each frame of a clip to its neighbour nearer to one of them.

        Args:
            frames: (BS, T, 3, H, W), 0-255, RGB.
            middle: Index of that frame.

        Returns:
            Float32 (BS, T, 2, H, W) as of :meth:`estimate`; 0 for the frame ``middle``.
        """
        others = [index for index in range(frames.shape[1]) if index != middle]
        nearer = [index + (1 if index < middle else -1) for index in others]
        flow = frames.new_zeros(*frames.shape[:2], 2, *frames.shape[3:], dtype=torch.float32)
        if others:
            pairs = frames[:, others].flatten(0, 1), frames[:, nearer].flatten(0, 1)
            flow[:, others] = self.estimate(*pairs).unflatten(0, (len(frames), -1))
        return flow
