from __future__ import annotations

import numpy as np
import pytest

from mart_mm.datasets.transforms.augment import (
    CropFrames,
    DisturbFrames,
    FlipFrames,
    MaskSpectrogram,
)


class _Drawn:
    """Stands in for a generator: returns what it was given, in order."""

    def __init__(self, *values: float) -> None:
        self.values = list(values)

    def _next(self, *_: object) -> float:
        return self.values.pop(0)

    random = integers = uniform = _next


def _frames(height: int = 10, width: int = 16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, 3, height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize('shape', [(10, 16), (16, 10)])
def test_places_of_the_crop(shape):
    """Centre, then the corners, against slices; the whole short side stays."""
    imgs = _frames(*shape)
    slices = {
        (10, 16): [slice(3, 13), slice(0, 10), slice(6, 16), slice(0, 10), slice(6, 16)],
        (16, 10): [slice(3, 13), slice(0, 10), slice(0, 10), slice(6, 16), slice(6, 16)],
    }[shape]
    for place, part in enumerate(slices):
        expected = imgs[:, :, :, part] if shape == (10, 16) else imgs[:, :, part]
        crop = CropFrames(size=10, random=True)(dict(imgs=imgs, rng=_Drawn(place)))
        np.testing.assert_array_equal(crop['imgs'], expected)


def test_crop_after_flip_and_scaling():
    imgs = np.repeat(np.repeat(_frames(4, 6), 3, axis=2), 3, axis=3)  # blocks of 3 x 3 pixels
    results = FlipFrames(prob=1.0)(dict(imgs=imgs, rng=np.random.default_rng(0)))
    small = CropFrames(size=4)(results)['imgs']
    np.testing.assert_array_equal(small, imgs[:, :, 1::3, 1::3][:, :, :, ::-1][:, :, :, 1:5])


def test_flip_probability():
    flips = [
        FlipFrames(prob=0.25)(dict(imgs=_frames(2, 2), rng=np.random.default_rng(s)))['flipped']
        for s in range(400)
    ]
    assert 70 < sum(flips) < 130


def test_disturbances_against_numpy():
    imgs = _frames(11, 11)
    disturb = DisturbFrames(prob=0.3, max_angle=180)

    def apply(*draws: float) -> np.ndarray:
        return disturb(dict(imgs=imgs, rng=_Drawn(*draws)))['imgs']

    np.testing.assert_array_equal(apply(0.3), imgs)  # nothing at the probability or above
    np.testing.assert_array_equal(apply(0.1, 0), imgs[:, :, :, ::-1])
    np.testing.assert_array_equal(apply(0.1, 1, 180.0), imgs[:, :, ::-1, ::-1])
    np.testing.assert_array_equal(apply(0.1, 1, 90.0), np.rot90(imgs, 1, axes=(2, 3)))
    np.testing.assert_array_equal(apply(0.1, 2, 0.5), imgs // 2)


def test_stripes_cover_all_segments_at_once():
    audios = np.random.default_rng(0).normal(-4, 4, (3, 10, 8)).astype(np.float32)
    results = dict(audios=audios, has_audio=True, rng=_Drawn(7, 6, 2, 5))  # widths and starts
    result = MaskSpectrogram(time_width=9, freq_width=3, fill='mean')(results)['audios']
    expected = audios.reshape(30, 8).copy()
    expected[6:13] = audios.mean()  # from segment 0 into segment 1
    expected[:, 5:7] = audios.mean()
    np.testing.assert_allclose(result, expected.reshape(3, 10, 8))


def test_absent_sound_is_not_masked():
    audios = np.zeros((2, 5, 4), dtype=np.float32)
    results = MaskSpectrogram()(dict(audios=audios, has_audio=False, rng=_Drawn()))
    assert results['audios'] is audios


@pytest.mark.parametrize('transform', [CropFrames(size=6, random=True), DisturbFrames(prob=0.9)])
def test_the_same_generator_gives_the_same_result(transform):
    first, again = (
        transform(dict(imgs=_frames(), rng=np.random.default_rng(5)))['imgs'] for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="fill='median'"):
        MaskSpectrogram(fill='median')
    with pytest.raises(ValueError, match='time_width=-1'):
        MaskSpectrogram(time_width=-1)
