"""Bar-code pictures: a frame that says its own index."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

ROWS, COLUMNS = 2, 4  # 8 blocks, one bit each


def draw(count: int, height: int = 48, width: int = 64) -> np.ndarray:
    """uint8 (count, height, width, 3); block b of frame i is white when bit b of i is set."""
    bits = np.arange(count)[:, None] >> np.arange(ROWS * COLUMNS) & 1
    blocks = bits.reshape(count, ROWS, COLUMNS)
    blocks = blocks.repeat(height // ROWS, axis=1).repeat(width // COLUMNS, axis=2)
    return np.repeat((blocks * 255).astype(np.uint8)[..., None], 3, axis=3)


def read(frames: np.ndarray) -> list[int]:
    """The indices that frames (n, H, W, 3) say."""
    height, width = frames.shape[1] // ROWS, frames.shape[2] // COLUMNS
    values = np.zeros(len(frames), dtype=int)
    for b in range(ROWS * COLUMNS):
        top, left = b // COLUMNS * height, b % COLUMNS * width
        inner = frames[:, top + height // 4 : top + 3 * height // 4]
        inner = inner[:, :, left + width // 4 : left + 3 * width // 4]
        values += (inner.mean(axis=(1, 2, 3)) > 128).astype(int) << b
    return values.tolist()


@pytest.fixture(scope='session')
def barcode() -> SimpleNamespace:
    return SimpleNamespace(draw=draw, read=read)
