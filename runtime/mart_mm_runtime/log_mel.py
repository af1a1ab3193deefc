"""Kaldi-style log-mel spectrogram in numpy."""

from __future__ import annotations

from functools import cache

import numpy as np

from mart_mm_runtime.metadata import SoundSettings


def num_frames(samples: int, settings: SoundSettings) -> int:
    """Log-mel frames that lie wholly within this many samples."""
    return max(0, 1 + (samples - settings.window) // settings.shift)


def num_samples(frames: int, settings: SoundSettings) -> int:
    """Samples that give exactly this many log-mel frames."""
    return (frames - 1) * settings.shift + settings.window


def _mel(hertz: np.ndarray | float) -> np.ndarray:
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


@cache
def mel_bank(settings: SoundSettings) -> np.ndarray:
    """Triangular filters, equally wide on the mel scale, up to half the sample rate.

    Returns:
        float64 (FFT bins, num_mels).
    """
    edges = np.linspace(
        _mel(settings.low_hz), _mel(settings.sample_rate / 2), settings.num_mels + 2
    )
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    bins = np.arange(settings.fft_length // 2 + 1) * settings.sample_rate / settings.fft_length
    position = _mel(bins)[:, None]
    rising = (position - left) / (centre - left)
    falling = (right - position) / (right - centre)
    return np.minimum(rising, falling).clip(min=0)


def log_mel(waveform: np.ndarray, settings: SoundSettings) -> np.ndarray:
    """Log-mel energies: mean removed per window, pre-emphasis, Hann window, natural logarithm.

    Computed in double precision throughout.

    Args:
        waveform: (samples,) in [-1, 1].
        settings: Of the model.

    Returns:
        float32 (frames, num_mels); no frame when there are fewer samples than one window.
    """
    if len(waveform) < settings.window:
        return np.zeros((0, settings.num_mels), dtype=np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(
        waveform.astype(np.float64), settings.window
    )[:: settings.shift]
    windows = windows - windows.mean(1, keepdims=True)
    before = np.concatenate([windows[:, :1], windows[:, :-1]], 1)
    windows = (windows - settings.preemphasis * before) * np.hanning(settings.window)
    spectrum = np.fft.rfft(windows, settings.fft_length)  # (frames, FFT bins)
    power = spectrum.real**2 + spectrum.imag**2
    return np.log((power @ mel_bank(settings)).clip(min=settings.floor)).astype(np.float32)
