"""The square that the network sees, cut from frames."""

from __future__ import annotations

import math

import numpy as np


def cut_square(frames: np.ndarray, size: int) -> np.ndarray:
    """Cut the largest square from the middle, and scale it.

    It is made smaller by the mean over areas and larger by linear interpolation, rounded as OpenCV
    rounds the former; the latter may differ from OpenCV's by one grey level.

    Args:
        frames: uint8 (n, H, W, 3).
        size: Side of the result in pixels.

    Returns:
        uint8 (n, size, size, 3).
    """
    height, width = frames.shape[1:3]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    frames = frames[:, top : top + side, left : left + side]
    if side == size:
        return frames
    weights = area_weights(side, size) if side > size else linear_weights(side, size)
    rounded = np.empty((len(frames), size, size, 3), dtype=np.uint8)
    for frame, place in zip(frames, rounded, strict=True):
        rows = weights @ frame.reshape(side, -1).astype(np.float32)  # (size, side * 3)
        scaled = weights @ rows.reshape(size, side, 3)  # (size, size, 3)
        # four pixels to one are added as integers, where halves are rounded up
        scaled = np.floor(scaled + 0.5) if side == 2 * size else np.rint(scaled)
        place[:] = scaled.clip(0, 255)
    return rounded


def area_weights(source: int, target: int) -> np.ndarray:
    """Share of each source pixel in each target pixel that covers it, float32 (target, source)."""
    weights = np.zeros((target, source))
    scale = source / target
    for index in range(target):
        start, end = index * scale, min((index + 1) * scale, source)
        first, last = math.floor(start), min(math.ceil(end), source)
        covered = np.arange(first, last)
        shares = np.minimum(covered + 1, end) - np.maximum(covered, start)
        shares[shares < 1e-3] = 0
        weights[index, covered] = shares / (end - start)
    return weights.astype(np.float32)


def linear_weights(source: int, target: int) -> np.ndarray:
    """Weights of the two source pixels around the centre of each target pixel, (target, source)."""
    weights = np.zeros((target, source), dtype=np.float32)
    centres = ((np.arange(target) + 0.5) * source / target - 0.5).clip(0, source - 1)
    first = np.minimum(centres.astype(int), max(source - 2, 0))
    second = np.minimum(first + 1, source - 1)
    share = centres - first
    np.add.at(weights, (np.arange(target), first), 1 - share)
    np.add.at(weights, (np.arange(target), second), share)
    return weights
