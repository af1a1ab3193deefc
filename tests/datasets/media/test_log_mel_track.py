from __future__ import annotations

import numpy as np
import pytest
import torch

from mart_mm.datasets.media.log_mel import SILENCE, log_mel
from mart_mm.datasets.media.log_mel_track import LogMelTrack, num_frames


def _noise(samples: int) -> np.ndarray:
    return np.random.default_rng(samples).normal(0, 0.1, samples).astype(np.float32)


@pytest.mark.parametrize('rate', [8000, 16000, 44100])
@pytest.mark.parametrize('seconds', [0.01, 0.025, 0.034, 0.7, 1.285, 2.57, 7.3])
def test_equal_to_the_log_mel_of_the_whole(rate, seconds):
    waveform = _noise(round(seconds * rate))
    track = LogMelTrack(waveform, rate, 40)
    expected = log_mel(torch.from_numpy(waveform), rate, 40).numpy()
    assert track.num_samples == len(waveform)
    assert track.num_frames == num_frames(len(waveform), rate) == len(expected)
    frames = track.rows(0, track.num_frames)
    assert frames.dtype == np.float32 and frames.shape == expected.shape
    np.testing.assert_allclose(frames, expected, rtol=0, atol=2e-6)


def test_a_part_has_the_bits_of_the_whole():
    waveform, rng = _noise(16000 * 7), np.random.default_rng(0)
    whole = LogMelTrack(waveform).rows(0, LogMelTrack(waveform).num_frames)
    track = LogMelTrack(waveform)
    for _ in range(60):
        start, stop = np.sort(rng.integers(0, len(whole) + 1, 2)).tolist()
        assert track.rows(start, stop).tobytes() == whole[start:stop].tobytes()


def test_only_blocks_asked_for_are_computed(monkeypatch):
    lengths = []

    def count(samples, *args):
        lengths.append(len(samples))
        return log_mel(samples, *args)

    monkeypatch.setattr('mart_mm.datasets.media.log_mel_track.log_mel', count)
    track = LogMelTrack(_noise(16000 * 60))
    assert track.rows(3000, 3100).shape == (100, 128)
    assert 1 <= len(lengths) <= 2
    track.rows(0, track.num_frames)
    assert max(lengths) == min(lengths) == (LogMelTrack.BLOCK - 1) * 160 + 400


def test_silence_is_the_log_mel_of_zeros():
    silence = log_mel(torch.zeros(400)).numpy()
    assert (silence == np.float32(SILENCE)).all()
    assert (LogMelTrack(np.zeros(800, np.float32)).rows(0, 3) == np.float32(SILENCE)).all()
