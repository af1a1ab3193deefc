from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import ASTFeatureExtractor

from mart_mm.datasets.media.audio_reader import read_audio
from mart_mm.datasets.media.log_mel import log_mel, num_samples
from mart_mm.datasets.transforms.audio import LoadLogMel
from mart_mm.errors import MediaError
from mart_mm.utils.media_writer import write_video

STATED_ERROR = 1e-3


def reference(waveform: np.ndarray) -> np.ndarray:
    frames = 1 + (len(waveform) - 400) // 160
    extractor = ASTFeatureExtractor(do_normalize=False, max_length=frames)
    return extractor(waveform, sampling_rate=16000)['input_values'][0]


@pytest.mark.parametrize('kind', ['noise', 'tones', 'silence', 'click'])
def test_log_mel_equals_ast_feature_extractor(kind: str) -> None:
    rng, time = np.random.default_rng(0), np.arange(32000) / 16000
    waveform = {
        'noise': rng.normal(0, 0.1, 32000),
        'tones': 0.4 * np.sin(2 * np.pi * 440 * time) + 0.1 * np.sin(2 * np.pi * 5000 * time),
        'silence': np.zeros(32000),
        'click': np.eye(1, 32000, 16000)[0],
    }[kind].astype(np.float32)
    if kind != 'silence':
        waveform += rng.normal(0, 1e-3, 32000).astype(np.float32)
    got = log_mel(torch.from_numpy(waveform)).numpy()
    assert got.shape == (198, 128)
    assert np.abs(got - reference(waveform)).max() < STATED_ERROR


def test_log_mel_of_speech(shared_data: Path) -> None:
    waveform = read_audio(str(shared_data / 'media' / 'jfk.flac'))
    assert len(waveform) == pytest.approx(11 * 16000, abs=200)
    # quiet passages reach the floor of the logarithm, where single precision counts most
    error = np.abs(log_mel(torch.from_numpy(waveform)).numpy() - reference(waveform))
    assert error.max() < 10 * STATED_ERROR
    assert np.quantile(error, 0.9999) < STATED_ERROR


def write_click(path: Path, at: float, seconds: float = 4.0, sound: bool = True) -> None:
    audio = np.random.default_rng(0).normal(0, 1e-3, round(seconds * 16000)).astype(np.float32)
    audio[round(at * 16000)] = 0.9
    frames = np.zeros((round(seconds * 8), 32, 32, 3), np.uint8)
    write_video(path, frames, 8, audio=audio if sound else None)


@pytest.mark.parametrize('suffix', ['mp4', 'mkv'])
def test_sound_is_aligned_with_the_picture(tmp_path: Path, suffix: str) -> None:
    write_click(tmp_path / f'a.{suffix}', at=2.5)
    waveform = read_audio(str(tmp_path / f'a.{suffix}'))
    assert np.abs(waveform).argmax() / 16000 == pytest.approx(2.5, abs=0.01)


def load(path: Path, num_frames: int = 80, segments: int = 4, seconds: float = 4.0) -> dict:
    edges = np.linspace(0, seconds, segments + 1)
    results = dict(video_path=str(path), clip_times=np.stack([edges[:-1], edges[1:]], 1))
    return LoadLogMel(num_frames=num_frames)(results)


def test_windows_follow_the_clips(tmp_path: Path) -> None:
    write_click(tmp_path / 'a.mp4', at=2.5)
    audios = load(tmp_path / 'a.mp4')['audios']
    assert audios.shape == (4, 80, 128)
    assert audios.max((1, 2)).argmax() == 2
    # the window of 80 frames is centred on 2.5 s, so the click is in its middle
    assert abs(int(audios[2].mean(1).argmax()) - 40) <= 2


def test_track_shorter_than_the_window_is_padded_as_ast_pads(tmp_path: Path) -> None:
    write_click(tmp_path / 'a.mp4', at=0.2, seconds=0.5)
    audios = load(tmp_path / 'a.mp4', segments=1, seconds=0.5)['audios']
    available = 1 + (len(read_audio(str(tmp_path / 'a.mp4'))) - 400) // 160
    assert available < 80
    assert (audios[0, available:] == 0).all()
    assert (audios[0, :available] != 0).all()


def test_silent_video_is_absent_not_invented(tmp_path: Path) -> None:
    write_click(tmp_path / 'a.mp4', at=1, sound=False)
    results = load(tmp_path / 'a.mp4')
    assert results['has_audio'] is False
    assert (results['audios'] == 0).all()
    with pytest.raises(MediaError, match=r'none\.mp4'):
        read_audio(str(tmp_path / 'none.mp4'))


def test_num_samples_gives_exactly_the_frames() -> None:
    for frames in (1, 2, 80, 100):
        assert log_mel(torch.zeros(num_samples(frames))).shape[0] == frames
        assert log_mel(torch.zeros(num_samples(frames) - 1)).shape[0] == frames - 1
