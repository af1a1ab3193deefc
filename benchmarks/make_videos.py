"""Re-make the videos on which reading is measured: 45 s of h264 with sound and subtitles.

    python benchmarks/make_videos.py FOLDER

Pictures are panning texture with scene cuts, moving discs and film grain, so that bit rates are
those of real films: about 0.4 Mbit/s at 320x240 and 1 Mbit/s at 640x360. Everything follows from
the seed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import cv2
import numpy as np

SECONDS, FPS, SAMPLE_RATE = 45, 30, 16000
#: (width, height, frames between key frames)
KINDS = ((320, 240, 12), (320, 240, 250), (640, 360, 12), (640, 360, 250))
_SCENE = 4 * FPS  # frames
_GRAIN = 4.0  # standard deviation, of 255
_WORDS = 'we were so happy to see the old house again but then the storm came and all was lost'


def name_of(width: int, height: int, gop: int) -> str:
    """File name of a video."""
    return f'{width}x{height}_gop{gop}.mp4'


def draw_frames(width: int, height: int, count: int, seed: int = 0) -> Iterator[np.ndarray]:
    """Pictures uint8 (height, width, 3), RGB, one after the other."""
    rng = np.random.default_rng(seed)
    grain = rng.normal(0, _GRAIN, (8, height, width, 1)).astype(np.float32)
    for index in range(count):
        if index % _SCENE == 0:
            texture = _texture(rng, 2 * width, 2 * height)
            speed = rng.uniform(-1, 1, 2) * height / 240  # pixels per frame: the texture suffices
            discs = rng.uniform(0, 1, (4, 7))
        when = index % _SCENE
        left, top = (np.array([width, height]) / 2 + speed * when).astype(int)
        picture = texture[top : top + height, left : left + width].copy()
        for x, y, dx, dy, *colour in discs:
            centre = (int((x + 0.3 * dx * when / FPS) % 1 * width), int((y + dy / 9) % 1 * height))
            cv2.circle(picture, centre, height // 10, [255 * part for part in colour], -1)
        yield (picture + grain[rng.integers(len(grain))]).clip(0, 255).astype(np.uint8)


def _texture(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Smooth noise of several scales, float32 (height, width, 3)."""
    picture = np.full((height, width, 3), 128, np.float32)
    for cells, contrast in ((4, 60.0), (16, 30.0), (64, 12.0), (160, 6.0)):
        small = rng.normal(0, contrast, (cells, cells, 3)).astype(np.float32)
        picture += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return picture


def draw_sound(count: int, seed: int = 1) -> np.ndarray:
    """Noise and tones, float32 (count,)."""
    rng = np.random.default_rng(seed)
    time = np.arange(count) / SAMPLE_RATE
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * 0.3 * time)
    tone = np.sin(2 * np.pi * 220 * time) + np.sin(2 * np.pi * (300 * time + 20 * time**2))
    return (0.1 * swell * tone + 0.03 * rng.standard_normal(count)).astype(np.float32)


def _encode(path: Path, width: int, height: int, gop: int, seconds: float) -> None:
    with av.open(str(path), 'w') as container:
        video = container.add_stream('libx264', rate=FPS)
        video.width, video.height, video.pix_fmt = width, height, 'yuv420p'
        video.gop_size, video.thread_count = gop, 1
        video.options = {'crf': '23', 'preset': 'medium', 'x264-params': 'scenecut=0'}
        audio = container.add_stream('aac', rate=SAMPLE_RATE, layout='mono')
        samples, per_frame, written = (
            draw_sound(round(seconds * SAMPLE_RATE)),
            SAMPLE_RATE // FPS,
            0,
        )
        for index, picture in enumerate(draw_frames(width, height, round(seconds * FPS))):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format='rgb24')))
            stop = min(len(samples), (index + 1) * per_frame)
            while written + 1024 <= stop or written < stop == len(samples):  # interleaved
                piece = np.ascontiguousarray(samples[None, written : written + 1024])
                frame = av.AudioFrame.from_ndarray(piece, format='fltp', layout='mono')
                frame.sample_rate, frame.pts = SAMPLE_RATE, written
                container.mux(audio.encode(frame))
                written += piece.shape[1]
        container.mux(video.encode())
        container.mux(audio.encode())


def _subtitles(seconds: float) -> str:
    blocks = []
    for number, start in enumerate(range(0, int(seconds), 3), 1):
        stamps = [f'00:00:{second:02d},000' for second in (start, min(start + 3, int(seconds)))]
        blocks.append(f'{number}\n{stamps[0]} --> {stamps[1]}\n{_WORDS}\n')
    return '\n'.join(blocks)


def make(
    folder: Path, seconds: float = SECONDS, kinds: Sequence[tuple[int, int, int]] = KINDS
) -> list[Path]:
    """Write the videos that are missing, each with its .srt.

    Args:
        folder: Made where missing.
        seconds: Of each, at most 59.
        kinds: Some of ``KINDS``.

    Returns:
        Their paths, in the order of ``kinds``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for kind in kinds:
        path = folder / name_of(*kind)
        paths.append(path)
        if path.exists():
            continue
        temporary = path.with_suffix('.part.mp4')
        _encode(temporary, *kind, seconds)
        path.with_suffix('.srt').write_text(_subtitles(seconds), encoding='utf-8')
        temporary.replace(path)
    return paths


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', type=Path)
    parser.add_argument('--seconds', type=float, default=SECONDS)
    args = parser.parse_args()
    for path in make(args.folder, args.seconds):
        rate = path.stat().st_size * 8 / args.seconds / 1e6
        print(f'{path}: {rate:.2f} Mbit/s')


if __name__ == '__main__':
    main()
