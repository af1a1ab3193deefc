"""Kaldi-style log-mel spectrogram in torch."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

FRAME_LENGTH, FRAME_SHIFT, FFT_LENGTH = 400, 160, 512  # samples at 16 kHz: 25 ms, 10 ms
_PREEMPHASIS, _FLOOR, _LOW_HZ = 0.97, 1.192092955078125e-07, 20.0


def num_samples(num_frames: int) -> int:
    """Samples that give exactly this many frames."""
    return (num_frames - 1) * FRAME_SHIFT + FRAME_LENGTH


def _mel(hertz: Tensor) -> Tensor:
    return 1127.0 * torch.log1p(hertz / 700.0)


@cache
def mel_bank(num_mels: int, sample_rate: int) -> Tensor:
    """Triangular filters, equally wide on Kaldi's mel scale, from 20 Hz to half the sample rate.

    Returns:
        float64 (FFT bins, num_mels).
    """
    low, high = _mel(torch.tensor([_LOW_HZ, sample_rate / 2], dtype=torch.float64)).tolist()
    edges = torch.linspace(low, high, num_mels + 2, dtype=torch.float64)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    bins = torch.arange(FFT_LENGTH // 2 + 1, dtype=torch.float64) * sample_rate / FFT_LENGTH
    position = _mel(bins)[:, None]
    rising = (position - left) / (centre - left)
    falling = (right - position) / (right - centre)
    return torch.minimum(rising, falling).clamp(min=0)


def log_mel(waveform: Tensor, *, num_mels: int = 128, sample_rate: int = 16000) -> Tensor:
    """Log-mel energies as Kaldi computes them and AST (Gong et al., 2021) expects them.

    25 ms Hann windows every 10 ms, mean removed per window, pre-emphasis 0.97, 512-point FFT, power,
    natural logarithm with a floor; no dither, no energy, not normalised. Computed in double precision,
    because beside a loud tone the quiet bins drown in single precision's rounding; differs from
    transformers' ``ASTFeatureExtractor`` (NumPy path) by less than 1e-3.

    Args:
        waveform: (..., samples) in [-1, 1].
        num_mels: Mel bins.
        sample_rate: Samples per second; windows are counted in samples of 16 kHz.

    Returns:
        float32 (..., frames, num_mels); no frame when there are fewer than 400 samples.
    """
    if waveform.shape[-1] < FRAME_LENGTH:
        return waveform.new_zeros(*waveform.shape[:-1], 0, num_mels)
    frames = waveform.double().unfold(-1, FRAME_LENGTH, FRAME_SHIFT)
    frames = frames - frames.mean(-1, keepdim=True)
    previous = torch.cat([frames[..., :1], frames[..., :-1]], -1)
    window = torch.hann_window(FRAME_LENGTH, periodic=False, dtype=torch.float64)
    spectrum = torch.fft.rfft((frames - _PREEMPHASIS * previous) * window, n=FFT_LENGTH)
    power = spectrum.real.square() + spectrum.imag.square()
    return (power @ mel_bank(num_mels, sample_rate)).clamp(min=_FLOOR).log().float()
