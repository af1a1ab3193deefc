from pathlib import Path

import numpy as np
import pytest

from mart_mm.datasets.transforms.augment import (
    CropFrames,
    DisturbFrames,
    FlipFrames,
    MaskSpectrogram,
)
from mart_mm.datasets.transforms.video import LoadFrames, SampleSegments
from mart_mm.utils.media_writer import write_video


@pytest.fixture(scope='module')
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 frames at 10 per second; the brightness of frame i is 4 i."""
    path = tmp_path_factory.mktemp('videos') / 'ramp.mp4'
    frames = np.broadcast_to(
        (4 * np.arange(60, dtype=np.uint8))[:, None, None, None], (60, 32, 48, 3)
    )
    write_video(path, frames, 10, crf=1)
    return path


def sample(path: Path, seed: int = 0, record: dict | None = None, **options: object) -> dict:
    results = dict(video_path=str(path), rng=np.random.default_rng(seed), **(record or {}))
    return LoadFrames()(SampleSegments(**options)(results))


def test_segments_are_equal_and_clips_centred(video: Path) -> None:
    results = sample(video, num_segments=3, clip_len=4, frame_interval=2)
    np.testing.assert_allclose(results['segment_times'], [[0, 2], [2, 4], [4, 6]])
    # 20 frames a segment, a clip spans 7: 6 frames before and 7 behind it
    np.testing.assert_array_equal(results['frame_inds'], [[6 + 20 * s + 2 * t for t in range(4)] for s in range(3)])
    np.testing.assert_allclose(results['clip_times'][1], [2.6, 3.3])
    shown = results['imgs'].mean((2, 3, 4))
    assert np.abs(shown - 4 * results['frame_inds']).max() < 3


def test_random_clips_stay_inside_and_follow_the_seed(video: Path) -> None:
    draws = [sample(video, seed, num_segments=3, clip_len=4, random=True)['frame_inds'] for seed in range(30)]
    for inds in draws:
        for s in range(3):
            assert 20 * s <= inds[s, 0] and inds[s, -1] < 20 * (s + 1)
    assert len({inds.tobytes() for inds in draws}) > 20
    again = sample(video, 7, num_segments=3, clip_len=4, random=True)['frame_inds']
    np.testing.assert_array_equal(draws[7], again)


def test_part_of_a_file(video: Path) -> None:
    results = sample(video, record=dict(start=2.0, end=4.0), num_segments=2, clip_len=3)
    np.testing.assert_allclose(results['segment_times'], [[2, 3], [3, 4]])
    assert results['frame_inds'].min() >= 20 and results['frame_inds'].max() < 40


@pytest.mark.parametrize('count', [1, 3, 7])
def test_videos_shorter_than_their_segments(tmp_path: Path, count: int) -> None:
    write_video(tmp_path / 'short.mp4', np.zeros((count, 32, 32, 3), np.uint8), 10)
    results = sample(tmp_path / 'short.mp4', num_segments=4, clip_len=4)
    assert results['imgs'].shape == (4, 4, 32, 32, 3)
    assert results['frame_inds'].max() == count - 1


def frames(height: int = 6, width: int = 10) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (2, 3, height, width, 3), np.uint8)


def test_crop_and_flip_are_slices() -> None:
    imgs = frames()
    rng = np.random.default_rng(0)
    cropped = CropFrames(size=6)(dict(imgs=imgs, rng=rng))['imgs']
    np.testing.assert_array_equal(cropped, imgs[:, :, :, 2:8])
    seen = set()
    for seed in range(40):
        got = CropFrames(size=6, random=True)(dict(imgs=imgs, rng=np.random.default_rng(seed)))['imgs']
        seen |= {left for left in range(5) if np.array_equal(got, imgs[:, :, :, left : left + 6])}
    assert seen == {0, 2, 4}
    flipped = FlipFrames(prob=1.0)(dict(imgs=imgs, rng=rng))['imgs']
    np.testing.assert_array_equal(flipped, np.flip(imgs, 3))
    np.testing.assert_array_equal(FlipFrames(prob=0.0)(dict(imgs=imgs, rng=rng))['imgs'], imgs)
    assert CropFrames(size=4)(dict(imgs=imgs, rng=rng))['imgs'].shape == (2, 3, 4, 4, 3)


def test_disturbing_does_the_same_to_all_frames() -> None:
    imgs = np.repeat(frames()[:1, :1], 2, 0).repeat(3, 1)
    changed = 0
    for seed in range(30):
        got = DisturbFrames(prob=0.9)(dict(imgs=imgs, rng=np.random.default_rng(seed)))['imgs']
        changed += not np.array_equal(got, imgs)
        for s in range(2):
            for t in range(3):
                np.testing.assert_array_equal(got[s, t], got[0, 0])
    assert 20 <= changed <= 30


def test_spectrogram_stripes() -> None:
    audios = np.ones((3, 20, 16), np.float32)
    rng = np.random.default_rng(3)
    results = dict(audios=audios, has_audio=True, rng=rng)
    got = MaskSpectrogram(time_width=30, freq_width=5, fill=-4.0)(results)['audios'].reshape(60, 16)
    hidden = got == -4
    rows, columns = hidden.all(1), hidden.all(0)
    assert 0 < rows.sum() <= 30 and 0 < columns.sum() <= 5
    for line in (rows, columns):  # one stripe each, without gaps
        places = line.nonzero()[0]
        assert len(places) == places[-1] - places[0] + 1
    np.testing.assert_array_equal(hidden, rows[:, None] | columns[None])
    assert (audios == 1).all()
