from __future__ import annotations

import numpy as np
import pytest

from mart_mm.datasets.transforms.audio import LoadLogMel
from mart_mm.datasets.transforms.video import SampleSegments
from mart_mm.utils.media_writer import write_video

RATE, FPS = 16000, 20
SILENCE = np.log(2.0**-23)


def _write(path, video_seconds, sound):
    frames = np.zeros((round(video_seconds * FPS), 16, 16, 3), dtype=np.uint8)
    write_video(path, frames, FPS, audio=sound)
    return path


def _noise(seconds, *clicks):
    waveform = np.random.default_rng(0).normal(0, 1e-3, round(seconds * RATE)).astype(np.float32)
    for time in clicks:
        waveform[round(time * RATE) : round(time * RATE) + 8] = 0.9
    return waveform


def _load(path, num_segments, num_frames, **record):
    results = dict(video_path=str(path), rng=np.random.default_rng(0), **record)
    results = SampleSegments(num_segments=num_segments, clip_len=4)(results)
    return LoadLogMel(num_frames)(results)


@pytest.mark.parametrize('planted', range(4))
@pytest.mark.parametrize('suffix', ['mp4', 'mkv'])
def test_a_click_is_seen_in_its_segment_only(tmp_path, suffix, planted):
    path = _write(tmp_path / f'a.{suffix}', 4, _noise(4, planted + 0.5))
    results = _load(path, 4, 90)
    assert results['has_audio'] is True
    assert results['audios'].shape == (4, 90, 128) and results['audios'].dtype == np.float32
    loud = results['audios'].max(axis=(1, 2)) > results['audios'].mean() + 8
    assert loud.tolist() == [s == planted for s in range(4)]
    centre = results['clip_times'][planted].mean()
    row = int(results['audios'][planted].mean(axis=1).argmax())
    assert row == pytest.approx(45 + (planted + 0.5 - centre) * 100, abs=2)


def test_windows_at_the_edges_are_moved_inside(tmp_path):
    """A window of 1.5 s around the clip of a segment of 1 s leaves the track on both sides."""
    path = _write(tmp_path / 'a.mp4', 2, _noise(2, 0.1, 1.9))
    audios = _load(path, 2, 150)['audios']
    first, last = (window.mean(axis=1) for window in audios)
    assert first.argmax() == pytest.approx(10, abs=3)
    assert 135 <= last.argmax() <= 150
    assert audios.min() >= SILENCE - 1e-4 and (audios != 0).all()


def test_a_record_hears_its_own_part_only(tmp_path):
    path = _write(tmp_path / 'a.mp4', 6, _noise(6, 1.9, 4.1))  # clicks just outside
    inside = _load(path, 2, 120, start=2.0, end=4.0)['audios']
    assert inside.max() < inside.mean() + 6
    wider = _load(path, 2, 120, start=1.8, end=4.2)['audios']
    assert (wider.max(axis=(1, 2)) > wider.mean() + 8).all()


def test_after_the_end_of_the_track_there_is_silence(tmp_path):
    path = _write(tmp_path / 'a.mp4', 4, _noise(2.0, 1.3))
    results = _load(path, 4, 80)
    np.testing.assert_allclose(results['audios'][2:], SILENCE, atol=1e-4)
    assert (results['audios'][:2].max(axis=2) > SILENCE + 1).all()


def test_rows_behind_a_short_track_are_zero(tmp_path):
    path = _write(tmp_path / 'a.mp4', 0.5, _noise(0.4))
    audios = _load(path, 1, 100)['audios']
    is_padding = (audios[0] == 0).all(axis=1)
    heard = int((~is_padding).sum())
    assert 36 <= heard <= 50 and not is_padding[:heard].any() and is_padding[heard:].all()


def test_absent_sound(tmp_path):
    silent = _load(_write(tmp_path / 'a.mp4', 2, None), 2, 30)
    assert silent['has_audio'] is False
    assert silent['audios'].shape == (2, 30, 128) and not silent['audios'].any()
    # a record behind the end of the track hears nothing
    behind = _load(_write(tmp_path / 'b.mp4', 4, _noise(1)), 2, 30, start=2.0, end=4.0)
    assert behind['has_audio'] is False and not behind['audios'].any()


def test_wrong_arguments():
    with pytest.raises(ValueError, match='num_frames=0'):
        LoadLogMel(0)
