"""Reports with planted values, and tiny videos of many kinds."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from mart_mm.structures.emotion_report import DROPPED_AT, EmotionReport, SegmentReport, WordReport

CLASSES = ('anger', 'joy', 'sadness')
RATE = 48000


def make_report(
    texts: Sequence[str] = ('I hate it', '', 'what a lovely day'),
    *,
    classes: Sequence[str] = CLASSES,
    seconds: float = 1.0,
    winners: Sequence[int] | None = None,
    words: Sequence[tuple] = (
        ('hate', 0.2, 0.4, 0, 3),
        ('lovely', 2.3, 2.6, 2, 2),
        ('lovely day', 2.3, 2.9, 2, 2),
        ('day', 2.7, 2.9, 2, 0),
    ),
    video: str = 'talk.v2.mp4',
) -> EmotionReport:
    """A segment per text; ``words`` as (word, start, end, segment, level)."""
    count = len(classes)
    winners = winners or [index % count for index in range(len(texts))]
    segments = []
    for index, (text, winner) in enumerate(zip(texts, winners, strict=True)):
        share = 0.6 + 0.05 * (index % 3)
        rest = (1 - share) / (count - 1)
        distribution = [share if number == winner else rest for number in range(count)]
        segments.append(
            SegmentReport(
                start=index * seconds,
                end=(index + 1) * seconds,
                distribution=distribution,
                emotion=classes[winner],
                sentiment=winner % 3 - 1,
                degree=(index + 1) / len(texts),
                text=text,
            )
        )
    found = [
        WordReport(
            word=word,
            concept=word.replace(' ', '_'),
            start=start,
            end=end,
            segment=segment,
            polarity=1,
            emotion=classes[1],
            affect=[0.1 * number % 1 for number in range(count)],
            level=level,
            dropped=None if level is None else DROPPED_AT[level],
        )
        for word, start, end, segment, level in words
    ]
    return EmotionReport(
        video=video,
        duration=len(texts) * seconds,
        classes=list(classes),
        polarity=[number % 3 - 1 for number in range(count)],
        emotion=classes[winners[0] if winners else 0],
        scores=segments[0].distribution if segments else [1 / count] * count,
        sentiment=-1,
        segments=segments,
        words=found,
        has_sound=True,
        transcript_source='given',
        model=dict(name='mart', checkpoint='best.pth', sha256='0' * 16, version='1.0'),
    )


def pictures(count: int, width: int, height: int) -> np.ndarray:
    """uint8 (count, height, width, 3): a ramp whose left upper corner is lit, drifting in blue."""
    y, x = np.mgrid[:height, :width]
    frames = np.zeros((count, height, width, 3), np.uint8)
    frames[..., 0], frames[..., 1] = x * 200 // width, y * 200 // height
    frames[..., 2] = (np.arange(count) * 200 // count)[:, None, None]
    frames[:, : height // 4, : width // 4] = 255
    return frames


def encode(
    path: Path,
    count: int = 30,
    *,
    size: tuple[int, int] = (160, 96),
    times: Sequence[float] | None = None,
    video: str = 'libx264',
    pixels: str = 'yuv420p',
    audio: str | None = 'aac',
    rotation: int | None = None,
    options: dict | None = None,
    shape: Fraction | None = None,
    start: float = 0.0,
) -> Path:
    """A video of ``pictures`` at 10 frames per second, or at given times, with a rising tone.

    ``shape`` is the width of a pixel by its height, ``start`` what the clock says at the beginning.
    """
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(video, rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.options = options or {}
        stream.codec_context.time_base = Fraction(1, 1000)
        if shape is not None:
            stream.codec_context.sample_aspect_ratio = shape
        if rotation is not None:
            stream.set_display_rotation(rotation)
        sound = container.add_stream(audio, rate=RATE, layout='stereo') if audio else None
        times = [index / 10 for index in range(count)] if times is None else times
        for picture, time in zip(pictures(count, *size), times, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format='rgb24')
            frame.pts, frame.time_base = round((start + time) * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound is not None:
            _encode_sound(container, sound, times[-1] + 0.1, round(start * RATE))
    return path


def _encode_sound(
    container: av.container.OutputContainer, stream: av.AudioStream, seconds: float, offset: int
) -> None:
    time = np.arange(round(seconds * RATE)) / RATE
    tone = (0.4 * np.sin(2 * np.pi * (200 + 100 * time) * time)).astype(np.float32)
    resampler = av.AudioResampler(stream.codec_context.format.name, 'stereo', RATE)
    size = stream.codec_context.frame_size or 1024
    for start in range(0, len(tone) - size + 1, size):
        piece = np.repeat(tone[None, start : start + size], 2, axis=0)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), 'fltp', 'stereo')
        frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), offset + start
        for converted in resampler.resample(frame):
            container.mux(stream.encode(converted))
    container.mux(stream.encode())


def decode(path: Path) -> tuple[list[float], np.ndarray]:
    """Times and RGB of all pictures as stored."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [frame.time for frame in frames], np.stack(
        [f.to_ndarray(format='rgb24') for f in frames]
    )


@pytest.fixture(scope='session')
def kit() -> SimpleNamespace:
    """The functions of this file."""
    return SimpleNamespace(
        report=make_report, encode=encode, decode=decode, pictures=pictures, classes=CLASSES
    )


@pytest.fixture(scope='session')
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds with AAC."""
    return encode(tmp_path_factory.mktemp('clip') / 'talk.v2.mp4')
