"""Sound: a class's pulsing band over noise and tones that belong to no class."""

from __future__ import annotations

import numpy as np

from mart_mm.planted.options import DEGREES, Options
from mart_mm.planted.plans import FilePlan
from mart_mm.planted.randomness import generator

SAMPLE_RATE = 16000
# Each look has a carrier and a rate of its pulses, both in Hz.
CARRIERS = (300.0, 500.0, 830.0, 1400.0, 2300.0, 3800.0, 645.0, 2950.0)
PULSES = (4.0, 11.0, 6.0, 16.0, 8.0, 13.0, 20.0, 3.0)
_LOWEST, _HIGHEST = 220.0, 5000.0  # of distractors
_FADE = 0.02  # s


def band(seconds: np.ndarray, centre: float, width: float, rng: np.random.Generator) -> np.ndarray:
    """Noise in a narrow band, of unit root mean square.

    Args:
        seconds: Times of the samples.
        centre: Hz.
        width: Half width as a share of the centre.
        rng: Source of randomness.
    """
    count = 10
    frequencies = centre * (
        1 + width * np.linspace(-1, 1, count) + 0.01 * rng.standard_normal(count)
    )
    phases = rng.uniform(0, 2 * np.pi, count)
    total = np.zeros_like(seconds)
    for frequency, phase in zip(frequencies, phases, strict=True):
        total += np.sin(2 * np.pi * frequency * seconds + phase)
    return total * np.sqrt(2 / count)


def class_sound(
    seconds: np.ndarray, look: int, difficulty: float, rng: np.random.Generator
) -> np.ndarray:
    """The pulsing band of a class; harder data sets jitter its carrier."""
    centre = CARRIERS[look] * (1 + 0.08 * difficulty * rng.standard_normal())
    pulse = 1 + np.sin(2 * np.pi * PULSES[look] * seconds + rng.uniform(0, 2 * np.pi))
    return band(seconds, centre, 0.08, rng) * pulse / np.sqrt(1.5)


def _noise(count: int, rng: np.random.Generator) -> np.ndarray:
    """Noise that falls with frequency, of unit root mean square."""
    size = 1 << (count - 1).bit_length()  # other lengths can be slow to transform
    spectrum = np.fft.rfft(rng.standard_normal(size))
    frequencies = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    samples = np.fft.irfft(spectrum / np.sqrt(np.maximum(frequencies, 100.0)), size)[:count]
    return samples / samples.std()


def _add(sound: np.ndarray, span: tuple[float, float], amplitude: float, piece: np.ndarray) -> None:
    first = round(span[0] * SAMPLE_RATE)
    room = sound[first : first + len(piece)]
    ramp = np.minimum(np.arange(len(room)), np.arange(len(room))[::-1]) / (_FADE * SAMPLE_RATE)
    room += amplitude * piece[: len(room)] * np.minimum(ramp, 1)


def _times(span: tuple[float, float]) -> np.ndarray:
    return np.arange(round((span[1] - span[0]) * SAMPLE_RATE)) / SAMPLE_RATE


def render_sound(plan: FilePlan, options: Options) -> np.ndarray:
    """Make the sound of a video.

    Args:
        plan: What is planted.
        options: Of the data set.

    Returns:
        float32 (samples,), mono in [-1, 1], 16 kHz.
    """
    rng = generator(options, plan.split, plan.index, 'audio')
    hardness = options.difficulty
    sound = (0.01 + 0.06 * hardness) * _noise(round(plan.duration * SAMPLE_RATE), rng)
    strength = 0.12 - 0.06 * hardness
    for record, segment in plan.segments:
        if segment.sound is not None:
            piece = class_sound(_times(segment.sound), record.look, hardness, rng)
            _add(sound, segment.sound, segment.degree * strength, piece)
        for _ in range(2):
            length = rng.uniform(0.25, 0.7) * options.segment_seconds
            start = segment.start + rng.uniform(0, options.segment_seconds - length)
            span = (start, start + length)
            frequency = _LOWEST * (_HIGHEST / _LOWEST) ** rng.random()
            seconds = _times(span)
            # a steady tone or, more often the harder it is, a band as wide as a class's
            if rng.random() < hardness:
                piece = band(seconds, frequency, 0.08, rng)
            else:
                piece = np.sqrt(2) * np.sin(2 * np.pi * frequency * seconds)
            _add(sound, span, rng.uniform(*DEGREES) * strength, piece)
    gain = 1 + 0.6 * hardness * rng.uniform(-1, 1)
    return np.clip(gain * sound, -1, 1).astype(np.float32)
