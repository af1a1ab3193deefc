import copy

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates
from torch import Tensor

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.importance.flow.base import OpticalFlow
from mart_mm.models.importance.motion_visible_map import MotionVisibleMap, propagate, warp
from mart_mm.models.maskers.motion_guided import MotionGuidedMasker
from mart_mm.registry import MODELS

STREAM = StreamSpec((8, 64, 64), (4, 4, 4), (2, 16, 16), (2, 16, 16))


def moving_texture(step: tuple[int, int], frames: int = 8, size: int = 64) -> Tensor:
    """Smooth noise that moves by (x, y) pixels from frame to frame, uint8 (1, 1, 3, T, H, W)."""
    import cv2

    margin = 8 * max(map(abs, step))
    rng = np.random.default_rng(0)
    large = rng.random((size + 2 * margin, size + 2 * margin, 3)).astype(np.float32)
    large = cv2.GaussianBlur(large, (0, 0), 2.0)
    large = (255 * (large - large.min()) / np.ptp(large)).astype(np.uint8)
    clip = [
        large[margin - y : margin - y + size, margin - x : margin - x + size]
        for x, y in ((t * step[0], t * step[1]) for t in range(-frames // 2, frames // 2))
    ]
    return torch.from_numpy(np.stack(clip)).permute(3, 0, 1, 2)[None, None].contiguous()


def translation(step: tuple[float, float], frames: int, size: int, middle: int) -> Tensor:
    """Flow of such a clip: towards a later frame with the motion, towards an earlier one against it."""
    flow = torch.zeros(1, frames, 2, size, size)
    for t in range(frames):
        sign = (t < middle) - (t > middle)
        flow[:, t, 0], flow[:, t, 1] = sign * step[0], sign * step[1]
    return flow


def test_warp_equals_scipy() -> None:
    picture = torch.rand(2, 9, 13)
    flow = 3 * torch.randn(2, 2, 9, 13)
    warped = warp(picture, flow)
    y, x = np.mgrid[:9, :13]
    for row in range(2):
        places = [y + flow[row, 1].numpy(), x + flow[row, 0].numpy()]
        # scipy fades nothing out beyond the edge, so pad by zeros as grid_sample does
        padded = np.pad(picture[row].numpy(), 20)
        expected = map_coordinates(padded, [p + 20 for p in places], order=1)
        np.testing.assert_allclose(warped[row].numpy(), expected, atol=1e-5)


def test_bumps_equal_plain_loop() -> None:
    importance = MotionVisibleMap(flow=dict(type='DISFlow'), ratio=0.9)
    stream = StreamSpec((16, 112, 112), (8, 7, 7), (2, 16, 16), (2, 16, 16))
    maps = importance.bumps(3, stream, torch.device('cpu'), None)
    assert maps.shape == (3, 112, 112) and maps.amax((1, 2)).tolist() == [1.0] * 3
    y, x = np.mgrid[:112, :112]
    for picture in maps.numpy():
        # centres lie between pixels: the four pixels around each are the highest of their patch
        cells = picture.reshape(7, 16, 7, 16)[:, 7, :, 7]
        centres = np.argwhere(cells > 0.999)
        assert len(centres) == 5  # 49 - int(0.9 * 49)
        expected = np.zeros((112, 112))
        for row, column in centres:
            d2 = (y - (16 * row + 7.5)) ** 2 + (x - (16 * column + 7.5)) ** 2
            expected = np.maximum(expected, np.exp(-d2 / 16**2))
        np.testing.assert_allclose(picture, expected / expected.max(), atol=1e-5)


def test_map_moves_with_the_picture_in_both_halves() -> None:
    start = torch.zeros(1, 40, 40)
    start[0, 20, 18] = 1.0
    start += 1e-3  # as bumps, nowhere 0
    maps = propagate(start, translation((2, -1), 9, 40, middle=4), middle=4)
    for t in range(9):
        y, x = divmod(int(maps[0, t].argmax()), 40)
        assert (x, y) == (18 + 2 * (t - 4), 20 - (t - 4))


def test_holes_take_the_middle_frames_value() -> None:
    start = torch.rand(1, 10, 10) + 0.1
    flow = torch.zeros(1, 3, 2, 10, 10)
    flow[:, 0, 0, :, :3] = -50.0  # three columns of the first frame come from outside
    flow[:, 2, 1] = 2.0
    maps = propagate(start, flow, middle=1)
    assert torch.equal(maps[:, 1], start)
    torch.testing.assert_close(maps[:, 0], start)  # filled, and elsewhere nothing moves
    torch.testing.assert_close(maps[:, 2, :8], start[:, 2:])
    torch.testing.assert_close(maps[:, 2, 8:], start[:, 8:])


class PlantedFlow(OpticalFlow):
    """A known translation."""

    def __init__(self, step: tuple[float, float]) -> None:
        super().__init__()
        self.step = step

    def forward(self, frames: Tensor, middle: int) -> Tensor:
        flow = translation(self.step, frames.shape[1], frames.shape[-1], middle)
        return flow.expand(len(frames), -1, -1, -1, -1)

    def estimate(self, frames: Tensor, neighbours: Tensor) -> Tensor:
        raise AssertionError


def test_scores_sum_the_map_of_a_patch() -> None:
    importance = MotionVisibleMap(flow=dict(type='DISFlow'), ratio=0.7)
    importance.flow = PlantedFlow((1.5, 0.0))
    seed = torch.Generator().manual_seed(2)
    scores = importance(dict(pixels=torch.zeros(2, 1, 3, 8, 64, 64)), STREAM, None, generator=seed)
    start = importance.bumps(2, STREAM, torch.device('cpu'), torch.Generator().manual_seed(2))
    maps = propagate(start, translation((1.5, 0.0), 8, 64, 4).expand(2, -1, -1, -1, -1), 4)
    assert scores.shape == (2, 64)
    for token in range(64):
        t, y, x = token // 16, token // 4 % 4, token % 4
        part = maps[:, 2 * t : 2 * t + 2, 16 * y : 16 * y + 16, 16 * x : 16 * x + 16]
        torch.testing.assert_close(scores[:, token], part.sum((1, 2, 3)))


def test_visible_tokens_follow_a_real_motion() -> None:
    """With OpenCV's flow: a texture that moves 4 px a frame to the right takes the map with it."""
    importance = MODELS.build(
        dict(type='MotionVisibleMap', ratio=0.9, flow=dict(type='DISFlow', preset='medium'))
    )
    pixels = moving_texture((4, 0))
    columns = torch.arange(4.0).repeat(4)
    drifts = []
    for seed in range(12):
        scores = importance(
            dict(pixels=pixels), STREAM, None, generator=torch.Generator().manual_seed(seed)
        ).view(4, 16)
        centre = (scores * columns).sum(1) / scores.sum(1)
        drifts.append(centre[2:].mean() - centre[:2].mean())
    # two slices apart are 16 px, one token; what leaves the picture or is cut off drifts less
    assert torch.stack(drifts).mean() > 0.3
    still = importance(dict(pixels=moving_texture((0, 0))), STREAM, None).view(4, 16)
    torch.testing.assert_close(still, still[:1].expand(4, -1), rtol=0.02, atol=0.5)


def test_with_its_masker_and_copies() -> None:
    importance = copy.deepcopy(MotionVisibleMap(flow=dict(type='DISFlow')))
    assert not importance.needs_output and not importance.state_dict()
    pixels = torch.randint(0, 256, (2, 2, 3, 8, 64, 64), dtype=torch.uint8)
    scores = importance(dict(pixels=pixels), STREAM, None)
    masked = MotionGuidedMasker(ratio=0.9)(scores, STREAM.grid, 0.0, batch_size=4)
    assert (~masked).view(4, 4, 16).sum(2).tolist() == [[1] * 4] * 4


def test_refuses_sound() -> None:
    sound = StreamSpec((128, 100), (12, 9), (16, 16), (10, 10))
    with pytest.raises(ValueError, match='visual stream'):
        MotionVisibleMap(flow=dict(type='DISFlow'))({}, sound, None)
