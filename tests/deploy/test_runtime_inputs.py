"""The runtime makes the inputs that the package makes, on its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mart_mm.apis.inference.windows import cut
from mart_mm.datasets.media import log_mel as kaldi
from mart_mm.datasets.media import video_reader
from mart_mm.datasets.transforms.audio import LoadLogMel
from mart_mm.datasets.transforms.augment import CropFrames
from mart_mm.datasets.transforms.video import LoadFrames, SampleSegments
from mart_mm_runtime.errors import MediaError as RuntimeMediaError
from mart_mm_runtime.log_mel import log_mel, mel_bank
from mart_mm_runtime.media.sound_stream import SoundStream
from mart_mm_runtime.media.video_reader import VideoReader
from mart_mm_runtime.metadata import FrameSettings, SoundSettings
from mart_mm_runtime.scaling import cut_square
from mart_mm_runtime.windows import choose_segments, cut_log_mel, cut_windows

ROOT = Path(__file__).resolve().parents[2]
SOUND = SoundSettings(
    num_frames=80,
    num_mels=128,
    sample_rate=16000,
    window=400,
    shift=160,
    fft_length=512,
    preemphasis=0.97,
    low_hz=20.0,
    floor=1.192092955078125e-07,
)


@pytest.mark.parametrize('kind', ['noise', 'tone', 'silence', 'offset', 'short'])
def test_log_mel(kind):
    time = np.arange(24000) / 16000
    rng = np.random.default_rng(0)
    waveform = {
        'noise': 0.3 * rng.standard_normal(24000),
        'tone': 0.5 * np.sin(2 * np.pi * 440 * time),
        'silence': np.zeros(24000),
        'offset': 0.4 + 1e-4 * rng.standard_normal(24000),
        'short': rng.standard_normal(399),
    }[kind].astype(np.float32)
    wanted = kaldi.log_mel(torch.from_numpy(waveform)).numpy()
    found = log_mel(waveform, SOUND)
    assert found.dtype == np.float32 and found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5)


def test_mel_bank():
    np.testing.assert_allclose(mel_bank(SOUND), kaldi.mel_bank(128, 16000).numpy(), atol=1e-12)


@pytest.mark.parametrize('side', [47, 48, 96, 64, 55, 144])
def test_squares_are_those_of_opencv(side):
    frames = np.random.default_rng(side).integers(0, 256, (2, side, side + 9, 3), dtype=np.uint8)
    wanted = CropFrames(size=48).transform(dict(imgs=frames[None], rng=None))['imgs'][0]
    found = cut_square(frames, 48).astype(int)
    difference = np.abs(found - wanted.astype(int))
    if side < 48:  # OpenCV rounds its weights
        assert difference.max() <= 1 and difference.mean() < 0.2
    elif side == 55:  # sums in another order: halves fall to either side
        assert difference.max() <= 1 and (difference > 0).mean() < 1e-3
    else:
        assert not difference.any()


def test_128_to_112_is_exact():
    frames = np.random.default_rng(0).integers(0, 256, (3, 128, 170, 3), dtype=np.uint8)
    middle = frames[:, :, 21:149]
    wanted = [cv2.resize(frame, (112, 112), interpolation=cv2.INTER_AREA) for frame in middle]
    np.testing.assert_array_equal(cut_square(frames, 112), wanted)


WHOLE = (0.0, None)


@pytest.mark.parametrize('name', ['sound', 'silent', 'variable', 'short_sound', 'mpeg'])
@pytest.mark.parametrize(('num_segments', 'short_side'), [(6, 48), (70, None)])
@pytest.mark.parametrize('window', [WHOLE, (1.237, 2.3)])
def test_windows_frames_and_sound(clips, name, num_segments, short_side, window):
    """More segments than frames, too."""
    settings = FrameSettings(num_segments, 4, 2, short_side, 48)
    results = dict(video_path=str(clips[name]), rng=None)
    if window is not WHOLE:
        results |= dict(start=window[0], end=window[1])
    results = SampleSegments(
        num_segments=num_segments, clip_len=4, frame_interval=2, size=short_side
    )(results)
    results = LoadLogMel(num_frames=80)(LoadFrames()(results))
    with VideoReader(str(clips[name]), short_side) as reader:
        ends = (window[0], window[1] or reader.duration)
        segments = choose_segments(reader.times, reader.duration, ends, settings)
        frames = reader.read(segments.frame_indices.ravel())
    np.testing.assert_array_equal(segments.times, results['segment_times'])
    np.testing.assert_array_equal(segments.clip_times, results['clip_times'])
    np.testing.assert_array_equal(segments.frame_indices, results['frame_inds'])
    np.testing.assert_array_equal(frames, results['imgs'].reshape(frames.shape))
    sound = SoundStream(str(clips[name]))
    audios, has_sound = cut_log_mel(sound, segments.clip_times, window, SOUND)
    sound.close()
    assert has_sound == results['has_audio'] == (name not in ('silent', 'mpeg'))
    np.testing.assert_allclose(audios, results['audios'], rtol=0, atol=1e-5)


def test_windows_are_those_of_inference():
    for duration in (0.5, 7.1, 7.3, 100.0):
        assert cut_windows(duration, 4.8) == [tuple(window) for window in cut(duration, 4.8)]
    assert len(cut_windows(7.1, 4.8)) == 1 and len(cut_windows(7.3, 4.8)) == 2


class Track:
    """A sound track at hand."""

    def __init__(self, waveform: np.ndarray) -> None:
        self.waveform = waveform

    def reach(self, stop: int | None) -> int:
        return len(self.waveform)

    def read(self, start: int, stop: int) -> np.ndarray:
        return self.waveform[start:stop]


def test_sound_shorter_than_a_window_is_followed_by_zeros():
    waveform = np.random.default_rng(0).normal(0, 0.1, 4000).astype(np.float32)
    times = np.array([[0.0, 0.2], [3.0, 3.2]])
    audios, has_sound = cut_log_mel(Track(waveform), times, WHOLE, SOUND)
    length = 1 + (4000 - 400) // 160
    assert has_sound
    np.testing.assert_array_equal(audios[0, :length], log_mel(waveform, SOUND))
    np.testing.assert_array_equal(audios[1, :length], np.float32(np.log(SOUND.floor)))
    assert not audios[:, length:].any()
    few = cut_log_mel(Track(waveform[:300]), times, WHOLE, replace(SOUND, num_frames=5))
    assert not few[1] and few[0].shape == (2, 5, 128) and not few[0].any()


def test_rotated_pictures_stand_upright(clips, monkeypatch):
    """Turned as the package turns them: no encoder here writes the tag, so tables are changed."""
    reader = VideoReader(str(clips['sound']), 48)
    upright = reader.read([3])
    object.__setattr__(reader._table, 'rotation', 90)
    np.testing.assert_array_equal(reader.read([3])[0], np.rot90(upright[0]))
    reader.close()
    theirs = video_reader.VideoReader(str(clips['sound']), size=48)
    theirs._turns = 1
    np.testing.assert_array_equal(theirs.read([3])[0], np.rot90(upright[0]))
    theirs.close()


def test_files_that_are_no_video(tmp_path):
    (tmp_path / 'text.mp4').write_text('not a video')
    for name, reason in (('text.mp4', 'cannot be read as video'), ('none.mp4', 'does not exist')):
        with pytest.raises(RuntimeMediaError, match=f'{name}: .*{reason}'):
            VideoReader(str(tmp_path / name))


@pytest.mark.parametrize(
    'name', ['streams', 'faults', 'audio_reader', 'sound_stream', 'frame_table']
)
def test_shared_readers_stay_the_same(name):
    """These files are the package's own, but for the names of the modules they import."""
    package = (ROOT / f'mart_mm/datasets/media/{name}.py').read_text()
    runtime = (ROOT / f'runtime/mart_mm_runtime/media/{name}.py').read_text()
    package = package.replace('mart_mm.datasets.media', 'mart_mm_runtime.media')
    package = package.replace('from mart_mm.errors', 'from mart_mm_runtime.errors')

    def split(text: str) -> tuple[list[str], list[str]]:
        lines = text.splitlines()
        imports = [line for line in lines if line.startswith('from mart_mm')]
        return sorted(imports), [line for line in lines if line not in imports]

    assert split(runtime) == split(package)
