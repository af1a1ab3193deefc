"""Sound read forward is the sound of the whole file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mart_mm.datasets.media.audio_reader import read_audio
from mart_mm.datasets.media.log_mel_track import LogMelStream, LogMelTrack
from mart_mm.datasets.media.sound_stream import SoundStream
from mart_mm.utils.media_writer import write_video

RATE, FPS = 16000, 20


def _write(path: Path, seconds: float, sound_seconds: float | None = None, **kwargs: object) -> str:
    pictures = np.zeros((round(seconds * FPS), 16, 16, 3), dtype=np.uint8)
    rate = kwargs.get('sample_rate', RATE)
    count = round((seconds if sound_seconds is None else sound_seconds) * rate)
    sound = np.random.default_rng(0).normal(0, 0.1, count).astype(np.float32)
    write_video(path, pictures, FPS, sound if count else None, **kwargs)
    return str(path)


def _late(start: float, count: int) -> list[float]:
    return (start + np.arange(count) / FPS).tolist()


@pytest.mark.parametrize(
    ('name', 'options'),
    [
        ('a.mp4', {}),
        ('b.mkv', dict(sample_rate=44100)),
        ('late.mp4', dict(times=_late(0.5, 160))),
        ('short.mp4', dict(sound_seconds=3.3)),
    ],
)
def test_stretches_have_the_bits_of_the_whole(tmp_path: Path, name: str, options: dict) -> None:
    path = _write(tmp_path / name, 8, **options)
    whole, stream = read_audio(path), SoundStream(path)
    rng = np.random.default_rng(1)
    starts = np.sort(rng.integers(0, len(whole), 20))
    for start in starts.tolist():
        stop = start + int(rng.integers(1, 9000))
        assert stream.read(start, stop).tobytes() == whole[start:stop].tobytes()
    assert stream.reach(None) == len(whole)
    assert stream.read(len(whole), len(whole) + 99).size == 0


def test_only_the_latest_stretch_is_held(tmp_path: Path) -> None:
    stream = SoundStream(_write(tmp_path / 'a.mp4', 60))
    sizes = []
    for second in range(60):
        stream.read(second * RATE, (second + 1) * RATE)
        sizes.append(len(stream._held))
    assert max(sizes) < 3 * RATE
    with pytest.raises(ValueError, match='read forward only'):
        stream.read(0, RATE)


def test_reach_says_how_much_there_is(tmp_path: Path) -> None:
    stream = SoundStream(_write(tmp_path / 'a.mp4', 4, 2.0))
    assert RATE <= stream.reach(RATE) < 1.5 * RATE  # no more is decoded
    end = len(read_audio(tmp_path / 'a.mp4'))
    assert stream.reach(4 * RATE) == stream.reach(None) == end


def test_a_file_without_sound(tmp_path: Path) -> None:
    stream = SoundStream(_write(tmp_path / 'a.mp4', 2, 0))
    assert not stream.has_sound and stream.reach(None) == 0 and stream.read(0, 9).size == 0


def test_log_mel_has_the_bits_of_the_whole(tmp_path: Path) -> None:
    path = _write(tmp_path / 'a.mp4', 21)
    track, stream = LogMelTrack(read_audio(path)), LogMelStream(SoundStream(path))
    whole = track.rows(0, track.num_frames)
    for start in range(0, track.num_frames - 90, 70):
        assert stream.rows(start, start + 90).tobytes() == whole[start : start + 90].tobytes()
