from __future__ import annotations

import colorsys

import cv2
import numpy as np
import pytest

from mart_mm.datasets.transforms.views import DistortColours, RandomResizedCrop, TwoViews
from mart_mm.registry import TRANSFORMS


def frames(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (2, 3, 40, 56, 3)).astype(np.uint8)


def run(transform: object, imgs: np.ndarray, seed: int = 0) -> np.ndarray:
    return transform(dict(imgs=imgs, rng=np.random.default_rng(seed)))['imgs']


def test_crops_have_the_asked_area_and_shape() -> None:
    """Boxes are read back from a picture whose channels hold row and column."""
    rows, columns = np.mgrid[0:200, 0:200]
    imgs = np.stack([rows, columns, rows * 0], -1).astype(np.uint8)[None, None].repeat(2, 1)
    areas, shapes = [], []
    for seed in range(200):
        transform = RandomResizedCrop(size=32, scale=(0.2, 0.6), ratio=(0.5, 2.0))
        cut = run(transform, imgs, seed)
        assert cut.shape == (1, 2, 32, 32, 3)
        np.testing.assert_array_equal(cut[0, 0], cut[0, 1])  # one draw for all frames
        height = np.ptp(cut[0, 0, :, 0, 0].astype(int)) * 32 / 31 + 1
        width = np.ptp(cut[0, 0, 0, :, 1].astype(int)) * 32 / 31 + 1
        areas.append(height * width / 200**2)
        shapes.append(width / height)
    assert 0.17 < min(areas) < 0.3 and 0.5 < max(areas) < 0.65
    assert 0.45 < min(shapes) < 0.65 and 1.5 < max(shapes) < 2.2
    with pytest.raises(ValueError, match='rising shares'):
        RandomResizedCrop(size=8, scale=(0.5, 0.2))


def test_grey_blur_and_solarise_do_what_they_are_called() -> None:
    imgs = frames()
    off = dict(jitter=0.0, grey=0.0, blur=0.0, solarise=0.0)
    np.testing.assert_array_equal(run(DistortColours(**off), imgs), imgs)
    grey = run(DistortColours(**off | dict(grey=1.0)), imgs)
    for frame, expected in zip(
        grey.reshape(-1, 40, 56, 3), imgs.reshape(-1, 40, 56, 3), strict=True
    ):
        luma = cv2.cvtColor(expected, cv2.COLOR_RGB2GRAY).astype(int)
        assert np.abs(frame.astype(int) - luma[..., None]).max() <= 1
    inverted = run(DistortColours(**off | dict(solarise=1.0)), imgs)
    expected = [v if v < 128 else 255 - v for v in imgs.ravel().tolist()]
    assert inverted.ravel().tolist() == expected
    large = np.random.default_rng(0).integers(0, 256, (1, 1, 224, 224, 3)).astype(np.uint8)
    blurred = run(DistortColours(**off | dict(blur=1.0)), large, seed=2)
    assert blurred.std() < 0.9 * large.std() and abs(blurred.mean() - large.mean()) < 2


def test_hue_is_turned_by_the_drawn_angle() -> None:
    imgs = np.full((1, 1, 4, 4, 3), (200, 40, 40), np.uint8)  # hue 0
    hues = []
    for seed in range(60):
        transform = DistortColours(jitter=1.0, strengths=(0, 0, 0, 0.1), grey=0, blur=0)
        red, green, blue = run(transform, imgs, seed)[0, 0, 0, 0] / 255
        hues.append((colorsys.rgb_to_hsv(red, green, blue)[0] + 0.5) % 1 - 0.5)
    assert -0.11 < min(hues) < -0.05 and 0.05 < max(hues) < 0.11


def test_two_views_differ_and_share_the_record() -> None:
    @TRANSFORMS.register_module(name='_Draw', force=True)
    class Draw:
        def __call__(self, results: dict) -> dict:
            results['imgs'] = results['rng'].integers(1 << 40)
            results['audios'] = results['rng'].integers(1 << 40)
            return results

    @TRANSFORMS.register_module(name='_Pack', force=True)
    class Pack:
        def __call__(self, results: dict) -> dict:
            inputs = dict(imgs=results['imgs'], audios=results['audios'], cues='cues')
            return dict(inputs=inputs, data_samples=results['video_id'])

    steps = [dict(type='_Draw'), dict(type='_Pack')]
    record = dict(video_id='a', rng=np.random.default_rng(0))
    packed = TwoViews(first=steps)(record)
    draws = np.random.default_rng(0).integers(1 << 40, size=4).tolist()
    assert [packed['inputs']['imgs'], packed['inputs']['audios']] == draws[:2]
    assert packed['inputs']['second'] == dict(imgs=draws[2], audios=draws[3])
    assert packed['data_samples'] == 'a' and 'imgs' not in record
