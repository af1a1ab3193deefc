from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mart_mm.datasets.transforms.video import LoadFrames, SampleSegments
from mart_mm.errors import MediaError
from mart_mm.lexicon.mood_map import MoodMap
from mart_mm.registry import TRANSFORMS
from mart_mm.utils.media_writer import write_video

FPS, NUM_FRAMES = 20, 120


@pytest.fixture(scope='module')
def planned() -> np.ndarray:
    gaps = np.random.default_rng(0).choice([0.02, 0.05, 0.12], NUM_FRAMES - 1)
    return np.concatenate([[0.0], gaps.cumsum()])


@pytest.fixture(scope='module')
def folder(tmp_path_factory, barcode, planned):
    folder = tmp_path_factory.mktemp('segments')
    write_video(folder / 'constant.mp4', barcode.draw(NUM_FRAMES), FPS)
    write_video(folder / 'variable.mp4', barcode.draw(NUM_FRAMES), FPS, times=planned.tolist())
    return folder


def _sample(path, seed=0, record=None, **options) -> dict:
    results = dict(video_path=str(path), rng=np.random.default_rng(seed), **(record or {}))
    return SampleSegments(**options)(results)


@pytest.mark.parametrize('random', [False, True])
def test_variable_rate_clips_lie_in_their_segments(folder, planned, barcode, random):
    """Segments are equal in time, not in number of frames; times and pictures agree."""
    results = _sample(folder / 'variable.mp4', num_segments=6, clip_len=5, random=random)
    edges = results['segment_times']
    np.testing.assert_allclose(np.diff(edges, axis=1), edges[-1, 1] / 6)
    inds, clips = results['frame_inds'], results['clip_times'].copy()
    results = LoadFrames()(results)
    assert 'video_reader' not in results
    for s in range(6):
        shown = barcode.read(results['imgs'][s])
        assert shown == inds[s].tolist() == list(range(inds[s, 0], inds[s, 0] + 5))
        times = planned[shown]
        assert edges[s, 0] - 1e-4 <= times[0] and times[-1] < edges[s, 1]
        assert clips[s, 0] == pytest.approx(times[0], abs=1e-4)
        assert clips[s, 1] == pytest.approx(planned[shown[-1] + 1], abs=1e-4)
        if not random:  # as many frames of the segment before the clip as behind it
            inside = (planned >= edges[s, 0] - 1e-6) & (planned < edges[s, 1] - 1e-6)
            left, right = np.flatnonzero(inside)[[0, -1]]
            assert (inds[s, 0] - left) - (right - inds[s, -1]) in (0, -1)


def test_short_segments_repeat_their_last_frame(folder):
    results = _sample(folder / 'constant.mp4', num_segments=30, clip_len=6)  # 4 frames a segment
    expected = [[4 * s + min(t, 3) for t in range(6)] for s in range(30)]
    np.testing.assert_array_equal(results['frame_inds'], expected)


def test_segments_without_a_frame_show_what_is_on_screen(tmp_path, barcode):
    path = tmp_path / 'slides.mp4'
    write_video(path, barcode.draw(3), FPS, times=[0.0, 1.9, 4.0])
    results = _sample(path, record=dict(end=4.0), num_segments=4, clip_len=2)
    np.testing.assert_array_equal(results['frame_inds'], [[0, 0], [1, 1], [1, 1], [1, 1]])


@pytest.mark.parametrize('random', [False, True])
def test_only_the_part_of_the_record_is_used(folder, random):
    for seed in range(10):
        record = dict(start=1.5, end=2.5)  # frames 30 to 49
        options = dict(num_segments=4, clip_len=9, frame_interval=2, random=random)
        results = _sample(folder / 'constant.mp4', seed, record, **options)
        np.testing.assert_allclose(results['segment_times'][[0, -1], [0, 1]], [1.5, 2.5])
        assert results['frame_inds'].min() == 30 and results['frame_inds'].max() == 49


def test_an_end_behind_the_video_is_the_video_s_end(folder):
    results = _sample(folder / 'constant.mp4', 0, dict(end=99.0), num_segments=2, clip_len=2)
    assert results['segment_times'][-1, 1] == pytest.approx(NUM_FRAMES / FPS)


def test_wrong_records_and_arguments(folder):
    path = folder / 'constant.mp4'
    options = dict(num_segments=2, clip_len=2)
    with pytest.raises(MediaError, match=r'starts at 7\.00 s, the video ends after 6\.00 s'):
        _sample(path, 0, dict(start=7.0, end=8.0), **options)
    for record in (dict(start=2.0, end=1.0), dict(start=-1.0), dict(end=0.0)):
        with pytest.raises(ValueError, match='mend the annotation'):
            _sample(path, 0, record, **options)
    with pytest.raises(ValueError, match='num_segments=0'):
        SampleSegments(num_segments=0, clip_len=1)
    with pytest.raises(MediaError, match='does not exist'):
        _sample(folder / 'absent.mp4', **options)


def test_size_and_backend_reach_the_reader(folder, barcode):
    config = dict(type='SampleSegments', num_segments=3, clip_len=2, size=24, backend='pyav')
    results = dict(video_path=str(folder / 'constant.mp4'), rng=np.random.default_rng(0))
    results = TRANSFORMS.build(config)(results)
    assert results['video_reader'].backend == 'pyav'
    results = TRANSFORMS.build(dict(type='LoadFrames'))(results)
    assert results['imgs'].shape == (3, 2, 24, 32, 3) and results['imgs'].dtype == np.uint8
    for s in range(3):
        assert barcode.read(results['imgs'][s]) == results['frame_inds'][s].tolist()


@pytest.mark.parametrize('name', ['constant', 'variable'])
def test_record_in_frames_is_the_record_in_seconds(folder, planned, barcode, name):
    record = dict(start_frame=30, stop_frame=90)
    results = _sample(folder / f'{name}.mp4', record=record, num_segments=4, clip_len=3)
    times = planned if name == 'variable' else np.arange(NUM_FRAMES) / FPS
    assert results['start'] == pytest.approx(times[30], abs=1e-4)
    assert results['end'] == pytest.approx(times[90], abs=1e-4)
    shown = barcode.read(LoadFrames()(results)['imgs'].reshape(-1, 48, 64, 3))
    assert min(shown) >= 30 and max(shown) < 90
    beyond = _sample(
        folder / f'{name}.mp4',
        record=dict(start_frame=100, stop_frame=NUM_FRAMES + 40),
        num_segments=2,
        clip_len=2,
    )
    assert beyond['frame_inds'].max() < NUM_FRAMES
    with pytest.raises(MediaError, match=f'starts at frame 200, the video has {NUM_FRAMES}'):
        _sample(
            folder / f'{name}.mp4',
            record=dict(start_frame=200, stop_frame=210),
            num_segments=2,
            clip_len=2,
        )


def test_distribution_counts_the_frames_of_each_segment(folder, planned):
    classes = np.random.default_rng(1).integers(-1, 3, 60)
    classes[20:44] = -1
    record = dict(
        start_frame=30,
        stop_frame=90,
        frame_classes=classes,
        mood_map=MoodMap(['a', 'b', 'c'], {}),
    )
    results = _sample(folder / 'variable.mp4', record=record, num_segments=5, clip_len=2)
    for (start, end), shares in zip(
        results['segment_times'], results['gt_distribution'], strict=True
    ):
        inside = [
            c
            for time, c in zip(planned[30:90], classes, strict=True)
            if start - 1e-4 <= time < end - 1e-4 and c >= 0
        ]
        expected = [inside.count(c) / max(1, len(inside)) for c in range(3)]
        np.testing.assert_allclose(shares, expected, atol=1e-6)
    assert (results['gt_distribution'].sum(1) == 0).any()


def test_crop_shows_a_part_of_the_picture(tmp_path):
    """The left half is dark, the right half bright; sizes as without a crop."""
    frames = np.zeros((10, 64, 128, 3), np.uint8)
    frames[:, :, 64:] = 200
    write_video(tmp_path / 'halves.mp4', frames, 10)
    for crop, value in (((0.0, 0.0, 0.5, 1.0), 0), ((0.5, 0.0, 1.0, 1.0), 200)):
        for size, shape in ((None, (64, 64)), (32, (32, 32)), (48, (48, 48))):
            results = _sample(
                tmp_path / 'halves.mp4',
                record=dict(crop=crop),
                num_segments=2,
                clip_len=2,
                size=size,
            )
            imgs = LoadFrames()(results)['imgs']
            assert imgs.shape == (2, 2, *shape, 3)
            edge = shape[1] // 8  # chroma and scaling blur the border between the halves
            inner = imgs[:, :, :, edge:-edge].astype(float)
            assert abs(inner - value).mean() < 6


def test_folder_of_frames_with_missing_ones(tmp_path, barcode):
    """Frames keep their numbers; windows and labels count the missing ones."""
    video = tmp_path / 'v.mp4'
    write_video(video, barcode.draw(60), 25)
    frames, gone = barcode.draw(60), {0, 7, 8, 9, 30, 31}
    folder = tmp_path / 'v'
    folder.mkdir()
    for index in set(range(60)) - gone:
        Image.fromarray(frames[index]).save(folder / f'{index + 1:05d}.png')
    classes = np.random.default_rng(0).integers(-1, 2, 40)
    record = dict(
        audio_path=str(video),
        start_frame=5,
        stop_frame=45,
        frame_classes=classes,
        mood_map=MoodMap(['a', 'b'], {}),
    )
    results = _sample(folder, record=record, num_segments=4, clip_len=4)
    assert (results['start'], results['end']) == (5 / 25, 45 / 25)  # the video's rate
    for s, shares in enumerate(results['gt_distribution']):
        inside = classes[10 * s : 10 * s + 10]
        expected = [(inside == c).sum() / max(1, (inside >= 0).sum()) for c in range(2)]
        np.testing.assert_allclose(shares, expected, atol=1e-6)
    imgs = LoadFrames()(results)['imgs']
    for s in range(4):
        shown = barcode.read(imgs[s])
        assert not gone & set(shown)
        assert all(5 + 10 * s <= index < 15 + 10 * s for index in shown)
    alone = dict(start_frame=5, stop_frame=45, fps=10.0)
    assert _sample(folder, record=alone, num_segments=1, clip_len=1)['end'] == 4.5
    with pytest.raises(MediaError, match='starts at frame 70, the video has 60'):
        _sample(folder, record=dict(start_frame=70, stop_frame=80), num_segments=1, clip_len=1)
