"""Kaldi-style log-mel spectrogram in torch."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

_WINDOW_SECONDS, _SHIFT_SECONDS = 0.025, 0.010
_PREEMPHASIS, _FLOOR, _LOW_HZ = 0.97, 1.192092955078125e-07, 20.0
_GROUPS = 4  # of filters: more are slower to call, fewer multiply more zeros
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


@cache
def _bands(num_mels: int, sample_rate: int) -> list[tuple[slice, slice, Tensor]]:
    """The filters in a few groups of neighbours, each with only the bins that it reaches.

    Returns:
        Filters of the group, their bins, and that part of :func:`mel_bank` in float32.
    """
    bank, size = mel_bank(num_mels, sample_rate), -(-num_mels // _GROUPS)
    bands = []
    for start in range(0, num_mels, size):
        filters = slice(start, min(start + size, num_mels))
        reached = bank[:, filters].any(1).nonzero()[:, 0].tolist() or [0]
        bins = slice(reached[0], reached[-1] + 1)
        bands.append((filters, bins, bank[bins, filters].float().contiguous()))
    return bands


@cache
def _hann(sample_rate: int) -> Tensor:
    window = window_and_shift(sample_rate)[0]
    return torch.hann_window(window, periodic=False, dtype=torch.float64)


def log_mel(waveform: Tensor, sample_rate: int = 16000, num_mels: int = 128) -> Tensor:
    """Log-mel energies as Kaldi computes them and AST (Gong et al., 2021) expects them.

    25 ms Hann windows every 10 ms, mean removed per window, pre-emphasis 0.97, power of a 512-point
    FFT (at 16 kHz), natural logarithm with a floor; no dither, no scaling to 16-bit integers, not
    normalised. Differs from transformers' ``ASTFeatureExtractor`` (NumPy path,
    ``do_normalize=False``) by at most 1e-6, on speech as on tones and noise. Up to the spectrum it
    is computed in double precision for that: in single precision some bins are off by up to 1e-2.
    Energies are sums of positive numbers, for which single precision is enough.

    The order is chosen for speed: pre-emphasis once for the whole track, the mean subtracted from
    what is left of it. In each window's first sample, where Kaldi's pre-emphasis differs, the Hann
    window is zero.

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
    waveform = waveform.double()
    emphasised = waveform.clone()
    emphasised[..., 1:].sub_(waveform[..., :-1], alpha=_PREEMPHASIS)
    hann, means = (
        _hann(sample_rate).to(waveform.device),
        waveform.unfold(-1, window, shift).mean(-1),
    )
    frames = waveform.new_zeros(*means.shape, _fft_length(sample_rate))
    inside = frames[..., :window]
    torch.mul(emphasised.unfold(-1, window, shift), hann, out=inside)
    inside.addcmul_(means[..., None], hann, value=_PREEMPHASIS - 1)
    spectrum = torch.fft.rfft(frames).to(torch.complex64)
    power = spectrum.real.square() + spectrum.imag.square()
    energy = power.new_empty(*means.shape, num_mels)
    for filters, bins, weights in _bands(num_mels, sample_rate):
        energy[..., filters] = power[..., bins] @ weights.to(power.device)
    return energy.double().clamp_(min=_FLOOR).log_().float()
