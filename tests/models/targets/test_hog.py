import math

import numpy as np
import pytest
import torch
from torch import Tensor

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.targets.base import RecoverySpec
from mart_mm.models.targets.hog import HOGTarget, oriented_gradients


def target(size: int = 112, patch: int = 16, **kwargs: object) -> HOGTarget:
    grid = (2, size // patch, size // patch)
    stream = StreamSpec((4, size, size), grid, (2, patch, patch), (2, patch, patch))
    return HOGTarget(RecoverySpec(stream, 8, 6), **kwargs)


def plain_histograms(picture: Tensor, cell: int, bins: int) -> np.ndarray:
    """(channels, rows, columns, bins) of cells, pixel by pixel."""
    channels, height, width = picture.shape
    x = np.pad(picture.double().numpy(), ((0, 0), (1, 1), (1, 1)), mode='reflect')
    out = np.zeros((channels, height // cell, width // cell, bins))
    for c in range(channels):
        for row in range(height // cell * cell):
            for column in range(width // cell * cell):
                window = x[c, row : row + 3, column : column + 3]
                gx = window[:, 0] @ [1, 2, 1] - window[:, 2] @ [1, 2, 1]
                gy = window[0] @ [1, 2, 1] - window[2] @ [1, 2, 1]
                place = math.floor(math.atan2(gx, gy) / math.pi * bins) % bins
                out[c, row // cell, column // cell, place] += math.hypot(gx, gy)
    norm = np.linalg.norm(out, axis=-1, keepdims=True)
    return out / np.where(norm == 0, 1, norm)


@pytest.mark.parametrize(('cell', 'bins'), [(8, 9), (4, 6)])
def test_equals_a_plain_loop(cell: int, bins: int) -> None:
    hog = target(size=32, patch=16, cell=cell, bins=bins)
    pixels = torch.rand(1, 2, 3, 4, 32, 32) * 255
    got = hog.patches(dict(pixels=pixels))
    side = 16 // cell
    assert got.shape == (2, 8, 3 * bins * side**2) and got.dtype == torch.float32
    for segment in range(2):
        for t in range(2):
            cells = plain_histograms(pixels[0, segment, :, 2 * t], cell, bins)
            for h in range(2):
                for w in range(2):
                    own = cells[:, h * side : (h + 1) * side, w * side : (w + 1) * side]
                    expected = own.transpose(1, 2, 0, 3).ravel()
                    values = got[segment, 4 * t + 2 * h + w].numpy()
                    np.testing.assert_allclose(values, expected, atol=1e-5)


def test_equals_mmpretrain() -> None:
    from mmpretrain.models.selfsup.maskfeat import HOGGenerator

    hog = target(size=224)
    frames = torch.rand(2, 3, 224, 224)
    expected = HOGGenerator(gaussian_window=0)(frames).unflatten(-1, (3, 9, 2, 2))
    pixels = frames.transpose(0, 1).repeat_interleave(2, 1)[None, None] * 255  # (1, 1, 3, 4, H, W)
    got = hog.patches(dict(pixels=pixels)).view(2, 196, 2, 2, 3, 9)
    torch.testing.assert_close(got.permute(0, 1, 4, 5, 2, 3), expected, atol=1e-3, rtol=1e-3)


def test_equals_scikit_image() -> None:
    """Its gradients are central differences: the same where rows and columns add up."""
    from skimage.feature import hog

    rng = np.random.default_rng(0)
    picture = 100 * (rng.random((24, 1)) + rng.random((1, 32)))
    expected = hog(
        picture.T,  # angles from the other axis
        orientations=9,
        pixels_per_cell=(8, 8),
        cells_per_block=(1, 1),
        block_norm='L2',
        feature_vector=False,
    )[:, :, 0, 0].transpose(2, 1, 0)  # (bins, rows, columns)
    ours = oriented_gradients(torch.tensor(picture)[None, None], cell=8, bins=9)[0]
    np.testing.assert_allclose(ours.numpy(), expected, atol=1e-6)


def test_golden_numbers() -> None:
    hog = target()
    pixels = torch.randint(0, 256, (1, 1, 3, 4, 112, 112)).to(torch.uint8)
    pixels[:, :, :, 0] = 37
    values = hog.patches(dict(pixels=pixels))
    assert values.shape == (1, 98, 108)
    assert values[:, :49].abs().max() == 0  # a constant picture
    lengths = values[:, 49:].unflatten(-1, (4, 3, 9)).norm(dim=-1)
    torch.testing.assert_close(lengths, torch.ones_like(lengths))
    once = hog.patches(dict(pixels=pixels.float() / 2))  # contrast does not matter
    torch.testing.assert_close(once, values, atol=1e-4, rtol=1e-4)


def test_direction_of_stripes() -> None:
    """Upright edges have gradients along x: angle pi / 2 of atan2(gx, gy), the middle bin."""
    picture = (torch.arange(16) // 2 % 2 * 200.0).expand(1, 1, 16, 16)
    upright = oriented_gradients(picture, cell=8, bins=9)[0, :, 0, 0]
    lying = oriented_gradients(picture.transpose(2, 3), cell=8, bins=9)[0, :, 0, 0]
    assert upright.argmax() == 4 and upright[4] == pytest.approx(1)
    assert lying.argmax() == 0 and lying[0] == pytest.approx(1)


def test_grids_that_exceed_the_frame() -> None:
    """Feature maps of encoders that pad: the frame is stretched to the patches."""
    stream = StreamSpec((2, 20, 20), (2, 3, 3), (1, 8, 8), (1, 8, 8))
    hog = HOGTarget(RecoverySpec(stream, 8, 6))
    values = hog.patches(dict(pixels=torch.rand(1, 1, 3, 2, 20, 20)))
    assert values.shape == (1, 18, 27)
    assert (values.norm(dim=-1) > 0).all()


def test_cells_must_tile_patches() -> None:
    with pytest.raises(ValueError, match=r'cell=8 .* divisor of 14'):
        target(size=28, patch=14)
    assert target(size=28, patch=14, cell=7).head.out_features == 108
