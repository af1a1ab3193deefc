"""Videos whose frames say their own index and whose sound rises in pitch."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

SIDE = 24  # pixels of a block
FPS = 25


def draw(count: int, scale: int = 1) -> np.ndarray:
    """uint8 (count, 48, 96, 3) times the scale; of 8 blocks, block b of frame i is white if bit b of i is."""
    bits = (np.arange(count)[:, None] >> np.arange(8) & 1).reshape(count, 2, 4)
    blocks = bits.repeat(SIDE * scale, axis=1).repeat(SIDE * scale, axis=2)
    return np.repeat((blocks * 255).astype(np.uint8)[..., None], 3, axis=3)


def indices(frames: np.ndarray) -> list[int]:
    """What frames (n, H, W, 3) say."""
    side = frames.shape[1] // 2
    blocks = frames[:, : 2 * side, : 4 * side].mean(-1).reshape(len(frames), 2, side, 4, side)
    middle = blocks[:, :, side // 3 : -(side // 3), :, side // 3 : -(side // 3)].mean((2, 4))
    return [int(sum(1 << b for b in range(8) if bits[b])) for bits in middle.reshape(-1, 8) > 128]


def chirp(seconds: float, rate: int) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * (200 + 150 * time) * time)).astype(np.float32)


def write(
    path: Path,
    count: int = 50,
    *,
    video: str = 'libx264',
    audio: str | None = None,
    layout: str = 'stereo',
    rate: int = 48000,
    options: dict | None = None,
    rotation: int | None = None,
    delay: float = 0.0,
    gap: tuple[float, float] | None = None,
) -> Path:
    """Encode with any codecs; ``delay`` of the sound, and ``gap`` in it, in seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(video, rate=FPS)
        stream.height, stream.width, stream.pix_fmt = 2 * SIDE, 4 * SIDE, 'yuv420p'
        stream.gop_size, stream.options = 30, options or {}
        if rotation is not None:
            stream.set_display_rotation(rotation)
        sound = container.add_stream(audio, rate=rate, layout=layout) if audio else None
        for picture in draw(count):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format='rgb24')))
        container.mux(stream.encode())
        if sound is not None:
            samples = np.repeat(chirp(count / FPS, rate)[None], sound.codec_context.channels, 0)
            for start in range(0, samples.shape[1] - 1023, 1024):
                if gap and gap[0] <= start / rate < gap[1]:
                    continue
                piece = np.ascontiguousarray(samples[:, start : start + 1024])
                frame = av.AudioFrame.from_ndarray(piece, format='fltp', layout=layout)
                frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
                frame.pts = start + round(delay * rate)
                container.mux(sound.encode(frame))
            container.mux(sound.encode())
    return path


def snapshot(folder: Path) -> dict[str, tuple]:
    """Bytes and time of change of every file, and where links lead."""
    return {
        str(path.relative_to(folder)): (
            path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None,
            path.lstat().st_mtime_ns,
        )
        for path in sorted(folder.rglob('*'))
    }


@pytest.fixture(scope='session')
def tape() -> SimpleNamespace:
    """The functions of this file."""
    return SimpleNamespace(draw=draw, indices=indices, chirp=chirp, write=write, snapshot=snapshot)
