from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import ASTFeatureExtractor

from mart_mm.datasets.media.audio_reader import read_audio
from mart_mm.datasets.media.log_mel import log_mel, mel_bank, num_samples, window_and_shift

STATED_ERROR = (
    1e-6  # of the docstring; float32 steps near 16 are 1.9e-6 wide, so one of them is allowed
)
_STEP = np.spacing(np.float32(8))


def _signals() -> dict[str, np.ndarray]:
    time = np.arange(24000) / 16000
    rng = np.random.default_rng(0)
    return {
        'noise': 0.3 * rng.standard_normal(24000),
        'tone': 0.5 * np.sin(2 * np.pi * 440 * time),
        'chirp': 0.5 * np.sin(2 * np.pi * (100 * time + 2400 * time**2)),
        'silence': np.zeros(24000),
        'offset': 0.4 + 1e-4 * rng.standard_normal(24000),
        'quiet': 1e-5 * rng.standard_normal(24000),
    }


def _reference(waveform: np.ndarray) -> np.ndarray:
    frames = 1 + (len(waveform) - 400) // 160
    extractor = ASTFeatureExtractor(do_normalize=False, max_length=frames)
    return extractor(waveform, sampling_rate=16000, return_tensors='np')['input_values'][0]


@pytest.mark.filterwarnings('ignore:At least one mel filter')
@pytest.mark.parametrize('kind', list(_signals()))
def test_equal_to_the_extractor_of_ast(kind):
    waveform = _signals()[kind].astype(np.float32)
    result = log_mel(torch.from_numpy(waveform))
    assert result.dtype == torch.float32 and result.shape == (148, 128)
    np.testing.assert_allclose(
        result.numpy(), _reference(waveform), rtol=0, atol=STATED_ERROR + _STEP
    )


@pytest.mark.filterwarnings('ignore:At least one mel filter')
def test_equal_to_the_extractor_of_ast_on_speech(shared_data):
    waveform = read_audio(shared_data / 'media' / 'jfk.flac')
    result = log_mel(torch.from_numpy(waveform)).numpy()
    np.testing.assert_allclose(result, _reference(waveform), rtol=0, atol=STATED_ERROR + _STEP)


def test_a_batch_is_its_members():
    signals = torch.from_numpy(np.stack(list(_signals().values())))
    whole = log_mel(signals.view(2, 3, -1))
    assert whole.shape == (2, 3, 148, 128)
    for place in range(6):
        assert torch.equal(whole[place // 3, place % 3], log_mel(signals[place]))


def test_plain_loop():
    """One frame, by the definition: no FFT, no matrix product."""
    waveform = _signals()['noise'][:400]
    frame = waveform - waveform.mean()
    emphasised = [frame[max(i, 0)] - 0.97 * frame[max(i - 1, 0)] for i in range(400)]
    windowed = [v * (0.5 - 0.5 * np.cos(2 * np.pi * i / 399)) for i, v in enumerate(emphasised)]
    mel = lambda hertz: 1127 * np.log(1 + hertz / 700)  # noqa: E731
    width = (mel(8000) - mel(20)) / 41
    expected = np.zeros(40)
    for k in range(257):
        turn = np.exp(-2j * np.pi * k * np.arange(400) / 512)
        power = abs(sum(v * w for v, w in zip(windowed, turn, strict=True))) ** 2
        for m in range(40):
            centre = mel(20) + (m + 1) * width
            expected[m] += power * max(0.0, 1 - abs(mel(k * 16000 / 512) - centre) / width)
    result = log_mel(torch.from_numpy(waveform), num_mels=40)
    np.testing.assert_allclose(result[0].numpy(), np.log(expected), atol=1e-5)


def test_silence_is_the_floor():
    assert torch.allclose(log_mel(torch.zeros(400)), torch.tensor(np.log(np.float32(2**-23))))


@pytest.mark.parametrize('rate', [8000, 16000, 44100])
@pytest.mark.parametrize('frames', [1, 2, 100])
def test_number_of_frames(rate, frames):
    samples = num_samples(frames, rate)
    assert samples / rate == pytest.approx(0.025 + 0.010 * (frames - 1), abs=0.002)
    assert log_mel(torch.zeros(samples), rate).shape == (frames, 128)
    assert log_mel(torch.zeros(samples - 1), rate).shape == (frames - 1, 128)


def test_a_tone_lights_its_own_bin_at_any_rate():
    for rate in (16000, 32000):
        time = torch.arange(rate // 2) / rate
        bins = log_mel(torch.sin(2 * torch.pi * 2000 * time), rate, 64).mean(0)
        peak = mel_bank(64, rate)[:, int(bins.argmax())].argmax()
        length = 2 * (mel_bank(64, rate).shape[0] - 1)
        assert float(peak) * rate / length == pytest.approx(2000, abs=120)
    assert window_and_shift(16000) == (400, 160)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')
def test_gpu():
    waveform = torch.from_numpy(_signals()['noise'])
    torch.testing.assert_close(log_mel(waveform.cuda()).cpu(), log_mel(waveform))
