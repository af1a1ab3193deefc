"""Pictures: a class's moving grating among textures that belong to no class."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mart_mm.planted.options import GRID, Options
from mart_mm.planted.plans import Box, FilePlan
from mart_mm.planted.randomness import generator

# Each look has an orientation in degrees, a period in cells, a drift in cycles per second and a hue
# in radians. The last two are fine and at right angles, so that their neighbours answer to them no
# more than the first six answer to each other.
_ANGLES = (15, 45, 75, 105, 135, 165, 80, 170)
_PERIODS = (0.62, 0.75, 0.88, 0.62, 0.75, 0.88, 0.56, 0.56)
_DRIFTS = (1.0, -1.0, 0.6, -0.6, 1.4, -1.4, 2.0, -2.0)
_HUES = (*(step * np.pi / 3 for step in range(6)), np.pi / 6, 7 * np.pi / 6)
_BAND = (0.6, 0.9)  # periods of the distractors, in cells

Texture = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def hue(angle: float) -> np.ndarray:
    """RGB offset (3,) of unit length and no brightness, for a hue in radians."""
    return np.sqrt(2 / 3) * np.cos(angle - np.arange(3) * 2 * np.pi / 3)


def grating(angle: float, period: float, drift: float, phase: float) -> Texture:
    """A drifting sine wave of unit root mean square.

    Args:
        angle: Of the direction in which it varies, radians.
        period: In cells.
        drift: Cycles per second.
        phase: Radians.

    Returns:
        Function of x, y (cells) and time (s).
    """
    kx, ky = 2 * np.pi * np.cos(angle) / period, 2 * np.pi * np.sin(angle) / period

    def draw(x: np.ndarray, y: np.ndarray, time: np.ndarray) -> np.ndarray:
        return np.sqrt(2) * np.sin(kx * x + ky * y - 2 * np.pi * drift * time + phase)

    return draw


def class_grating(look: int, difficulty: float, rng: np.random.Generator) -> Texture:
    """The grating of a class; harder data sets jitter its orientation and period."""
    angle = np.deg2rad(_ANGLES[look] + 10 * difficulty * rng.standard_normal())
    period = _PERIODS[look] * (1 + 0.08 * difficulty * rng.standard_normal())
    return grating(angle, period, _DRIFTS[look], rng.uniform(0, 2 * np.pi))


def neutral_texture(rng: np.random.Generator) -> Texture:
    """Blobs or a checkerboard of the gratings' scale, in no direction that means a class."""
    drift = rng.uniform(-1.4, 1.4)
    if rng.random() < 0.5:
        angle, period = rng.uniform(0, np.pi), rng.uniform(*_BAND)
        one = grating(angle, period, drift, rng.uniform(0, 2 * np.pi))
        other = grating(angle + np.pi / 2, period, drift, rng.uniform(0, 2 * np.pi))
        return lambda x, y, time: one(x, y, time) * other(x, y, time)
    count = 10
    # directions spread evenly, so that the sum has none of its own
    angles = (np.arange(count) + rng.random(count)) * np.pi / count
    waves = [
        grating(a, rng.uniform(*_BAND), drift * rng.choice((-1, 1)), rng.uniform(0, 2 * np.pi))
        for a in angles
    ]
    return lambda x, y, time: sum(wave(x, y, time) for wave in waves) / np.sqrt(count)


def _background(
    x: np.ndarray, y: np.ndarray, times: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Smooth moving noise, (n, H, W, 3), of unit root mean square."""
    total = np.zeros((len(times), *np.broadcast(x, y).shape, 3), dtype=np.float32)
    count = 8
    for _ in range(count):
        wave = grating(
            rng.uniform(0, 2 * np.pi),
            rng.uniform(2.5, 8),
            rng.normal(0, 0.5),
            rng.uniform(0, 2 * np.pi),
        )
        colour = 1 + 0.4 * rng.standard_normal(3)
        total += wave(x, y, times[:, None, None])[..., None].astype(np.float32) * colour
    return total / np.sqrt(count)


def frame_times(plan: FilePlan, options: Options) -> tuple[np.ndarray, bool]:
    """Time of each frame in seconds, and whether the rate is variable."""
    count = max(1, round(plan.duration * options.fps))
    times = np.arange(count) / options.fps
    if plan.blemish != 'variable_frame_rate':
        return times, False
    rng = generator(options, plan.split, plan.index, 'visual')
    jitter = rng.uniform(-0.4, 0.4, count) / options.fps
    jitter[0] = 0
    return times + jitter, True


def render_frames(plan: FilePlan, options: Options, times: np.ndarray) -> np.ndarray:
    """Draw a video.

    Args:
        plan: What is planted.
        options: Of the data set.
        times: Seconds of each frame.

    Returns:
        uint8 (frames, size, columns * size, 3), RGB.
    """
    rng = generator(options, plan.split, plan.index, 'visual').spawn(1)[0]
    hardness = options.difficulty
    cell = options.size // GRID
    pixels = (np.arange(plan.columns * options.size) + 0.5) / cell
    x, y = pixels[None, :], pixels[: options.size, None]

    frames = (0.12 + 0.10 * hardness) * _background(x, y, times, rng)
    strength = 0.19 - 0.08 * hardness
    tone = 0.24 - 0.12 * hardness
    segment_of = plan.segment_at(times)
    for number, (record, segment) in enumerate(plan.segments):
        inside = np.flatnonzero(segment_of == number)
        regions: list[tuple[Box, float, Texture, np.ndarray]] = []
        if segment.patch is not None:
            texture = class_grating(record.look, hardness, rng)
            colour = tone * hue(_HUES[record.look])
            regions.append((segment.patch, segment.degree, texture, colour))
        for box, degree in zip(segment.distractors, segment.strengths, strict=True):
            # tinted too, in any hue, or colour alone would give the place away
            colour = tone * hardness * hue(rng.uniform(0, 2 * np.pi))
            regions.append((box, degree, neutral_texture(rng), colour))
        for box, degree, texture, colour in regions:
            left, right = (round((edge + record.column) * options.size) for edge in box[::2])
            top, bottom = (round(edge * options.size) for edge in box[1::2])
            drawn = texture(x[:, left:right], y[top:bottom], times[inside, None, None])
            patch = degree * (strength * drawn[..., None] + colour)
            frames[inside, top:bottom, left:right] += patch.astype(np.float32)

    gain = 1 + 0.5 * hardness * rng.uniform(-1, 1)
    tint = 0.08 * hardness * rng.standard_normal(3)
    brightness = 0.5 + 0.2 * hardness * rng.uniform(-1, 1)
    frames = brightness + tint + gain * frames
    frames += (0.01 + 0.05 * hardness) * rng.standard_normal(frames.shape, dtype=np.float32)
    return (255 * frames.clip(0, 1)).round().astype(np.uint8)


def class_energy(patch: np.ndarray, look: int, cell: int) -> float:
    """Energy of a class's grating in a piece of a picture, whatever its phase.

    Args:
        patch: (h, w), brightness.
        look: Index of the class's texture.
        cell: Pixels of a cell.

    Returns:
        Squared correlation with the grating, per pixel, of the patch without its mean.

    Raises:
        ValueError: For a look there is not.
    """
    if not 0 <= look < len(_ANGLES):
        raise ValueError(f'look={look} is not in 0..{len(_ANGLES) - 1}')
    height, width = patch.shape
    x = (np.arange(width)[None, :] + 0.5) / cell
    y = (np.arange(height)[:, None] + 0.5) / cell
    angle, period = np.deg2rad(_ANGLES[look]), _PERIODS[look]
    wave = np.exp(2j * np.pi * (np.cos(angle) * x + np.sin(angle) * y) / period)
    return float(np.abs(((patch - patch.mean()) * wave).mean()) ** 2)
