"""Kaldi-style log-mel spectrogram in torch."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

_WINDOW_SECONDS, _SHIFT_SECONDS = 0.025, 0.010
_PREEMPHASIS, _FLOOR, _LOW_HZ = 0.97, 1.192092955078125e-07, 20.0
#: log-mel energy of digital silence
SILENCE = math.log(_FLOOR)


def window_and_shift(sample_rate: int = 16000) -> tuple[int, int]:
    """Samples of one analysis window (25 ms) and from one to the next (10 ms)."""
    return round(sample_rate * _WINDOW_SECONDS), round(sample_rate * _SHIFT_SECONDS)


def num_samples(num_frames: int, sample_rate: int = 16000) -> int:
    """Samples that give exactly this many frames."""
    window, shift = window_and_shift(sample_rate)
    return (num_frames - 1) * shift + window


def _mel(hertz: Tensor) -> Tensor:
    return 1127.0 * torch.log1p(hertz / 700.0)


def _fft_length(sample_rate: int) -> int:
    """The next power of two: 512 at 16 kHz."""
    return 1 << (window_and_shift(sample_rate)[0] - 1).bit_length()


@cache
def mel_bank(num_mels: int, sample_rate: int) -> Tensor:
    """Triangular filters, equally wide on Kaldi's mel scale, from 20 Hz to half the sample rate.

    Returns:
        float64 (FFT bins, num_mels).
    """
    low, high = _mel(torch.tensor([_LOW_HZ, sample_rate / 2], dtype=torch.float64)).tolist()
    edges = torch.linspace(low, high, num_mels + 2, dtype=torch.float64)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    length = _fft_length(sample_rate)
    bins = torch.arange(length // 2 + 1, dtype=torch.float64) * sample_rate / length
    position = _mel(bins)[:, None]
    rising = (position - left) / (centre - left)
    falling = (right - position) / (right - centre)
    return torch.minimum(rising, falling).clamp(min=0)


def log_mel(waveform: Tensor, sample_rate: int = 16000, num_mels: int = 128) -> Tensor:
    """Log-mel energies as Kaldi computes them and AST (Gong et al., 2021) expects them.

    25 ms Hann windows every 10 ms, mean removed per window, pre-emphasis 0.97, power of a 512-point
    FFT (at 16 kHz), natural logarithm with a floor; no dither, no scaling to 16-bit integers, not
    normalised. Differs from transformers' ``ASTFeatureExtractor`` (NumPy path,
    ``do_normalize=False``) by at most 1e-6, on speech as on tones and noise. It is computed in
    double precision for that: in single precision some bins are off by up to 1e-2.

    Args:
        waveform: (..., samples) in [-1, 1].
        sample_rate: Samples per second.
        num_mels: Mel bins.

    Returns:
        float32 (..., frames, num_mels); no frame when there are fewer samples than one window.
    """
    window, shift = window_and_shift(sample_rate)
    if waveform.shape[-1] < window:
        return waveform.new_zeros(*waveform.shape[:-1], 0, num_mels, dtype=torch.float32)
    frames = waveform.double().unfold(-1, window, shift)
    frames = frames - frames.mean(-1, keepdim=True)
    previous = torch.cat([frames[..., :1], frames[..., :-1]], -1)
    hann = torch.hann_window(window, periodic=False, dtype=torch.float64).to(frames)
    emphasised = (frames - _PREEMPHASIS * previous) * hann
    spectrum = torch.fft.rfft(emphasised, n=_fft_length(sample_rate))
    power = spectrum.real.square() + spectrum.imag.square()
    bank = mel_bank(num_mels, sample_rate).to(power)
    return (power @ bank).clamp(min=_FLOOR).log().float()
