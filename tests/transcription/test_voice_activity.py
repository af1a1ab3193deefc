from __future__ import annotations

import numpy as np
import pytest

from mart_mm.transcription.voice_activity import speech_windows

RATE = 16000


def track(*parts: tuple[float, float]) -> np.ndarray:
    """Noise of (seconds, amplitude) one after the other."""
    rng = np.random.default_rng(0)
    return np.concatenate(
        [rng.uniform(-a, a, round(s * RATE)).astype(np.float32) for s, a in parts]
    )


def seconds(windows: list[tuple[int, int]]) -> list[tuple[float, float]]:
    return [(start / RATE, stop / RATE) for start, stop in windows]


def test_silence_around_speech_goes() -> None:
    windows = seconds(
        speech_windows(track((20, 0), (4, 0.3), (20, 0.0001), (6, 0.3), (5, 0)), RATE)
    )
    # the two parts do not fit into 30 s together
    assert np.allclose(windows, [(20 - 0.3, 24 + 0.3), (44 - 0.3, 50 + 0.3)], atol=0.04)


def test_neighbours_share_a_window() -> None:
    windows = seconds(speech_windows(track((2, 0), (4, 0.3), (10, 0), (6, 0.3), (5, 0)), RATE))
    assert np.allclose(windows, [(1.7, 22.3)], atol=0.04)


def test_long_speech_is_cut_in_its_pause() -> None:
    windows = seconds(speech_windows(track((25, 0.3), (0.2, 0.02), (25, 0.3)), RATE))
    assert len(windows) == 2 and windows[0][1] == windows[1][0]
    assert 25 <= windows[0][1] <= 25.2
    assert windows[0][0] == 0 and windows[1][1] == pytest.approx(50.2, abs=0.04)


def test_quiet_recordings_count_and_clicks_do_not() -> None:
    assert len(speech_windows(track((1, 0), (2, 0.003), (1, 0)), RATE)) == 1
    assert speech_windows(track((1, 0), (0.06, 0.5), (1, 0)), RATE) == []


@pytest.mark.parametrize('waveform', [np.zeros(0), np.zeros(100), np.zeros(5 * RATE)])
def test_nothing_to_hear(waveform: np.ndarray) -> None:
    assert speech_windows(waveform.astype(np.float32), RATE) == []


def test_windows_are_in_order_short_and_hold_all_that_is_loud() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        parts = [(rng.uniform(0.3, 40), rng.choice([0, 0.3])) for _ in range(6)]
        waveform = track(*parts)
        windows = speech_windows(waveform, RATE)
        heard = np.zeros(len(waveform), dtype=int)
        for start, stop in windows:
            assert 0 <= start < stop <= len(waveform) and stop - start <= 30 * RATE
            heard[start:stop] += 1
        assert heard.max(initial=0) <= 1
        assert (np.diff(windows, axis=0) > 0).all() if len(windows) > 1 else True
        loud = np.abs(waveform) > 0.01
        assert heard[loud].mean() > 0.99 if loud.any() else not windows
