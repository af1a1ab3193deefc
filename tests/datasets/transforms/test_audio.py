from __future__ import annotations

import pickle

import av
import numpy as np
import pytest
import torch

from mart_mm.datasets.cache import FileCache
from mart_mm.datasets.media.audio_reader import read_audio
from mart_mm.datasets.media.log_mel import log_mel
from mart_mm.datasets.transforms.audio import LoadLogMel
from mart_mm.datasets.transforms.video import SampleSegments
from mart_mm.errors import MediaError
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


def _clips(*centres, **record):
    """What SampleSegments gives for clips of 0.2 s."""
    centres = np.array(centres)
    return dict(clip_times=np.stack([centres - 0.1, centres + 0.1], axis=1), **record)


def test_windows_are_frames_of_the_tracks_grid(tmp_path):
    """By a plain loop over clips: the frames nearest to the centre, each from its own 25 ms."""
    sound = _noise(5, 0.7, 2.6, 4.4)
    path = _write(tmp_path / 'a.mp4', 5, sound)
    waveform = read_audio(path)
    start, end = 0.503, 4.701
    centres = [0.55, 1.2345, 2.6, 3.3333, 4.69]
    results = LoadLogMel(30)(_clips(*centres, video_path=str(path), start=start, end=end))
    first = int(np.ceil(start * 100))
    last = int(np.floor((end - 0.025) * 100))
    for window, centre in zip(results['audios'], centres, strict=True):
        middle = centre - 0.1575  # 29 shifts and a frame of 25 ms, halved
        begin = min(max(round(middle * 100), first), last - 29)
        for row in range(30):
            at = (begin + row) * 160
            frame = log_mel(torch.from_numpy(waveform[at : at + 400]))
            np.testing.assert_allclose(window[row], frame[0].numpy(), atol=1e-6)


def test_silence_behind_the_end_follows_the_last_whole_frame(tmp_path):
    path = _write(tmp_path / 'a.mp4', 4, _noise(2.0))
    waveform = read_audio(path)
    frames = log_mel(torch.from_numpy(waveform)).numpy()
    # the clip's middle lies 0.1 s behind the end: of 80 frames some 30 are heard
    centre = len(waveform) / RATE + 0.1
    (window,) = LoadLogMel(80)(_clips(centre, video_path=str(path)))['audios']
    heard = frames[round((centre - 0.4075) * 100) :]
    assert 20 < len(heard) < 40
    np.testing.assert_allclose(window[: len(heard)], heard, atol=2e-6)
    assert (window[len(heard) :] == np.float32(SILENCE)).all()


def test_sound_of_another_file(tmp_path):
    video = _write(tmp_path / 'a.mp4', 2, _noise(2, 0.5))
    sound = _write(tmp_path / 'b.mp4', 2, _noise(2, 1.5))
    load = LoadLogMel(20)
    clips = (0.5, 1.5)
    own = load(_clips(*clips, video_path=str(video)))['audios'].max(axis=(1, 2))
    results = load(_clips(*clips, video_path=str(video), audio_path=str(sound)))
    other = results['audios'].max(axis=(1, 2))
    assert own[0] > own[1] + 5 and other[1] > other[0] + 5


def test_a_folder_of_frames_has_no_sound_of_its_own(tmp_path):
    sound = _write(tmp_path / 'b.mp4', 2, _noise(2, 0.5))
    (tmp_path / 'frames').mkdir()
    results = LoadLogMel(20)(_clips(0.5, video_path=str(tmp_path / 'frames')))
    assert results['has_audio'] is False and not results['audios'].any()
    record = dict(video_path=str(tmp_path / 'frames'), audio_path=str(sound))
    assert LoadLogMel(20)(_clips(0.5, **record))['has_audio'] is True


class _Counter:
    """Counts what it passes on."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        return self.function(*args, **kwargs)


@pytest.fixture
def opened(monkeypatch):
    """Number of media files opened for their sound."""
    counter = _Counter(av.open)
    monkeypatch.setattr('mart_mm.datasets.media.audio_reader.av.open', counter)
    return counter


@pytest.fixture
def cache(tmp_path):
    return FileCache(str(tmp_path / 'cache'))


def _epoch(load, records, seed, cache=None):
    """Log-mel of records of 8 s around clips drawn at random."""
    rng = np.random.default_rng(seed)
    return [
        load(_clips(*rng.uniform(*part, 5), video_path=str(path), cache=cache, **record))
        for path, part, record in records
    ]


@pytest.fixture
def records(tmp_path):
    whole = _write(tmp_path / 'whole.mp4', 8, _noise(8, 1.5, 6.2))
    short = _write(tmp_path / 'short.mp4', 8, _noise(2.5, 1.5))
    silent = _write(tmp_path / 'silent.mp4', 8, None)
    blip = _write(tmp_path / 'blip.mkv', 8, _noise(0.3))
    return [
        (whole, (0.1, 7.9), {}),
        (whole, (2.1, 4.9), dict(start=2.004, end=5.017)),
        (whole, (5.1, 5.3), dict(start=5.0, end=5.35)),
        (short, (0.1, 7.9), {}),
        (short, (3.1, 7.9), dict(start=3.0, end=8.0)),
        (blip, (0.1, 7.9), {}),
        (silent, (0.1, 7.9), {}),
    ]


def test_cache_changes_no_bit_and_files_are_opened_once(records, cache, opened):
    load = LoadLogMel(100)
    for epoch in range(3):
        opened.calls = 0
        kept = _epoch(load, records, epoch, cache)
        assert opened.calls == (4 if epoch == 0 else 0)  # one per file, silent ones too
        opened.calls = 0
        computed = _epoch(load, records, epoch)
        assert opened.calls == len(records)
        for one, other in zip(kept, computed, strict=True):
            assert one['has_audio'] == other['has_audio']
            assert one['audios'].dtype == other['audios'].dtype == np.float32
            assert one['audios'].tobytes() == other['audios'].tobytes()
    assert [result['has_audio'] for result in kept] == [True] * 4 + [False, True, False]
    # clips moved from epoch to epoch
    again = _epoch(load, records, 0, cache)
    assert not np.array_equal(again[0]['audios'], kept[0]['audios'])


def test_cache_is_shared_by_another_process(records, cache, opened):
    kept = _epoch(LoadLogMel(100), records, 0, cache)
    opened.calls = 0
    other = pickle.loads(pickle.dumps((LoadLogMel(50), FileCache(str(cache.folder)))))
    for one, result in zip(_epoch(other[0], records, 0, other[1]), kept, strict=True):
        assert one['has_audio'] == result['has_audio']
    assert opened.calls == 0  # frames per window do not matter


def test_cache_sees_a_changed_file_and_other_parameters(tmp_path, cache, opened):
    path = _write(tmp_path / 'a.mp4', 2, _noise(2, 0.5))
    clips = dict(video_path=str(path), cache=cache)
    first = LoadLogMel(20)(_clips(0.5, 1.5, **clips))['audios']
    for load in (LoadLogMel(20, num_mels=64), LoadLogMel(20, sample_rate=8000)):
        opened.calls = 0
        load(_clips(0.5, **clips)), load(_clips(0.5, **clips))
        assert opened.calls == 1
    _write(path, 2, _noise(2, 1.5))
    opened.calls = 0
    second = LoadLogMel(20)(_clips(0.5, 1.5, **clips))['audios']
    assert opened.calls == 1
    assert first[0].max() > first[1].max() + 5 and second[1].max() > second[0].max() + 5


def test_damaged_entries_are_computed_again(records, cache, opened):
    load = LoadLogMel(100)
    expected = _epoch(load, records, 0)
    _epoch(load, records, 0, cache)
    entries = sorted(path for path in cache.folder.rglob('*') if path.is_file())
    assert len(entries) == 4
    for damage in ('cut', 'flipped'):
        for path in entries:
            content = bytearray(path.read_bytes())
            if damage == 'cut':
                del content[len(content) // 2 :]
            else:
                content[:] = [byte ^ 1 for byte in content[:-1]] + [content[-1]]
            path.write_bytes(content)
        opened.calls = 0
        for one, other in zip(_epoch(load, records, 0, cache), expected, strict=True):
            assert one['audios'].tobytes() == other['audios'].tobytes()
        assert opened.calls == 4
        opened.calls = 0
        _epoch(load, records, 1, cache)
        assert opened.calls == 0


def test_damaged_rows_are_computed_again(tmp_path, cache, opened):
    """The head of the entry is right, a stretch of its frames is not."""
    path = _write(tmp_path / 'a.mp4', 8, _noise(8, 6.5))
    record = dict(video_path=str(path))
    LoadLogMel(20)(_clips(1.0, **record, cache=cache))
    (entry,) = (item for item in cache.folder.rglob('*') if item.is_file())
    content = bytearray(entry.read_bytes())
    content[-1000:] = bytes(1000)
    entry.write_bytes(content)
    opened.calls = 0
    LoadLogMel(20)(_clips(1.0, **record, cache=cache))
    assert opened.calls == 0  # what is read is whole
    results = LoadLogMel(20)(_clips(1.0, 7.9, **record, cache=cache))
    assert opened.calls == 1
    expected = LoadLogMel(20)(_clips(1.0, 7.9, **record))
    assert results['audios'].tobytes() == expected['audios'].tobytes()


def test_a_missing_file_is_an_error_with_cache_too(tmp_path, cache):
    for kept in (None, cache):
        with pytest.raises(MediaError, match='cannot be opened'):
            LoadLogMel(20)(_clips(0.5, video_path=str(tmp_path / 'absent.mp4'), cache=kept))
