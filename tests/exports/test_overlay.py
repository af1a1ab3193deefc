from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.errors import MediaError
from mart_mm.exports.overlay import write_overlay
from mart_mm.exports.strip import CURSOR, EmotionStrip


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    error = np.mean((first.astype(float) - second.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def sound_of(path: Path) -> tuple[list[tuple], np.ndarray]:
    """Packets as (seconds, bytes), and decoded samples (channels, samples)."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        packets = [
            (float(p.pts * p.time_base), bytes(p)) for p in container.demux(stream) if p.size
        ]
    with av.open(str(path)) as container:
        pieces = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return packets, np.concatenate(pieces, axis=1)


def cursor_at(picture: np.ndarray) -> float:
    """Middle column of what is near the cursor's colour."""
    distance = np.abs(picture.astype(int) - CURSOR).max(-1)
    columns = np.nonzero((distance < 60).sum(0) > 10)[0]
    return columns.mean() + 0.5


@pytest.fixture(scope='module')
def overlay(clip: Path, kit: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    (path,) = write_overlay(kit.report(), tmp_path_factory.mktemp('out') / 'a.overlay.mp4', clip)
    return path


def test_pictures_and_times_stay(clip: Path, overlay: Path, kit: SimpleNamespace) -> None:
    times, source = kit.decode(clip)
    new_times, copy = kit.decode(overlay)
    assert new_times == pytest.approx(times, abs=1e-6) and len(times) == 30
    height = EmotionStrip(kit.report(), 160, 96, 3.0).height
    assert copy.shape == (30, 96 + height, 160, 3)
    assert min(psnr(a, b[:96]) for a, b in zip(source, copy, strict=True)) > 38
    with VideoReader(str(clip)) as old, VideoReader(str(overlay)) as new:
        assert new.duration == pytest.approx(old.duration, abs=1e-3)
        np.testing.assert_allclose(new.times, old.times, atol=1e-6)


def test_the_cursor_is_where_time_is(clip: Path, overlay: Path, kit: SimpleNamespace) -> None:
    strip = EmotionStrip(kit.report(), 160, 96, 3.0)
    left, right = strip.plot
    times, copy = kit.decode(overlay)
    for index in (0, 7, 15, 29):
        expected = left + times[index] / 3.0 * (right - left)
        assert cursor_at(copy[index, 96:]) == pytest.approx(expected, abs=2)
    assert psnr(copy[15, 96:], strip.at(times[15])) > 25


def test_sound_is_copied(clip: Path, overlay: Path) -> None:
    (packets, samples), (new_packets, new_samples) = sound_of(clip), sound_of(overlay)
    assert [content for _, content in new_packets] == [content for _, content in packets]
    assert [t for t, _ in new_packets] == pytest.approx([t for t, _ in packets], abs=1e-4)
    np.testing.assert_array_equal(new_samples, samples)


@pytest.mark.parametrize(
    ('name', 'settings', 'codec'),
    [
        ('a.webm', dict(video='libvpx', audio='libopus'), 'opus'),
        ('a.mkv', dict(audio='flac'), 'flac'),
        ('b.mkv', dict(audio='libmp3lame'), 'mp3float'),
        ('c.mkv', dict(audio='pcm_s16le'), 'aac'),
    ],
)
def test_other_sound_is_copied_or_encoded(
    tmp_path: Path, kit: SimpleNamespace, name: str, settings: dict, codec: str
) -> None:
    source = kit.encode(tmp_path / name, 10, **settings)
    (path,) = write_overlay(kit.report(seconds=0.4), tmp_path / 'out.mp4', source)
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.name == codec
    (packets, samples), (new_packets, new_samples) = sound_of(source), sound_of(path)
    if codec != 'aac':
        assert [content for _, content in new_packets] == [content for _, content in packets]
        assert new_packets[0][0] == pytest.approx(packets[0][0], abs=0.01)
        return
    samples = samples / 32768 if samples.dtype == np.int16 else samples
    samples = samples.reshape(-1, 2).T if samples.shape[0] == 1 else samples
    common = min(samples.shape[1], new_samples.shape[1]) - 2048
    assert common > 30000
    old, new = samples[0, 2048:common], new_samples[0, 2048:common]
    assert np.corrcoef(old, new)[0, 1] > 0.99  # at the same time, the same tone


def test_variable_rate_without_sound(tmp_path: Path, kit: SimpleNamespace) -> None:
    times = [0.0, 0.1, 0.15, 0.9, 1.0, 2.7]
    source = kit.encode(tmp_path / 'a.mp4', 6, times=times, audio=None)
    report = kit.report()
    (path,) = write_overlay(report, tmp_path / 'out.mp4', source)
    found, copy = kit.decode(path)
    assert found == pytest.approx(times, abs=1e-4)
    with VideoReader(str(source)) as old:
        duration = old.duration
    left, right = EmotionStrip(report, 160, 96, duration).plot
    for picture, time in zip(copy, times, strict=True):
        assert cursor_at(picture[96:]) == pytest.approx(
            left + time / duration * (right - left), abs=2
        )
    with av.open(str(path)) as container:
        assert not container.streams.audio


def starts(path: Path) -> tuple[float, float]:
    """When the first picture is shown and when the tone begins, seconds."""
    with av.open(str(path)) as container:
        first = next(container.decode(video=0)).time
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            loud = np.nonzero(np.abs(frame.to_ndarray()[0]) > 0.05)[0]
            if len(loud):
                return first, frame.time + loud[0] / frame.sample_rate
    raise AssertionError('no sound')


def test_a_late_start_is_moved_to_the_front(tmp_path: Path, kit: SimpleNamespace) -> None:
    source = kit.encode(tmp_path / 'a.ts', 20, start=2000.0)
    (path,) = write_overlay(kit.report(seconds=0.6), tmp_path / 'out.mp4', source)
    old_picture, old_tone = starts(source)
    picture, tone = starts(path)
    assert old_picture > 1999 and picture < 1
    assert tone - picture == pytest.approx(old_tone - old_picture, abs=0.03)
    times, _ = kit.decode(path)
    assert np.diff(times) == pytest.approx([0.1] * 19, abs=2e-3)
    with av.open(str(path)) as container:
        assert container.duration / av.time_base == pytest.approx(2, abs=0.3)


def test_a_late_start_keeps_how_long_each_frame_is_shown(
    tmp_path: Path, kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    gaps = [0.1, 0.4, 0.1, 0.7, 0.2]
    times = [sum(gaps[:index]) for index in range(6)]
    source = kit.encode(tmp_path / 'a.ts', 6, times=times, start=2000.0)
    shown = {}

    def mux(container: object, packets: list, durations: dict) -> None:
        for packet in packets:
            shown[packet.pts] = durations.get(packet.pts)
            container.mux(packet)

    monkeypatch.setattr('mart_mm.preparation.recode._mux', mux)
    write_overlay(kit.report(seconds=0.6), tmp_path / 'out.mp4', source)
    stamps = sorted(shown)
    assert [shown[stamp] for stamp in stamps[:-1]] == np.diff(stamps).tolist()
    assert shown[stamps[-1]] > 0


@pytest.mark.parametrize('rotation', [90, 180, 270])
def test_rotated_pictures_stand_upright(
    tmp_path: Path, kit: SimpleNamespace, rotation: int
) -> None:
    source = kit.encode(tmp_path / 'a.mp4', 4, rotation=rotation)
    (path,) = write_overlay(kit.report(seconds=0.2), tmp_path / 'out.mp4', source)
    with VideoReader(str(source)) as reader:
        upright = reader.read(range(4))
    _, copy = kit.decode(path)
    height, width = upright.shape[1:3]
    assert (width, height) == ((96, 160) if rotation != 180 else (160, 96))
    assert copy.shape[2] == width
    assert psnr(copy[:, :height], upright) > 35
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).rotation == 0


@pytest.mark.parametrize(('rotation', 'expected'), [(None, Fraction(4, 3)), (90, Fraction(3, 4))])
def test_the_shape_of_pixels_stays(
    tmp_path: Path, kit: SimpleNamespace, rotation: int | None, expected: Fraction
) -> None:
    shape = Fraction(4, 3)
    source = kit.encode(tmp_path / 'a.mp4', 3, audio=None, shape=shape, rotation=rotation)
    (path,) = write_overlay(kit.report(seconds=0.1), tmp_path / 'out.mp4', source)
    with av.open(str(path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == expected


def test_odd_sides_and_full_range(tmp_path: Path, kit: SimpleNamespace) -> None:
    odd = kit.encode(
        tmp_path / 'odd.mkv', 3, size=(161, 97), video='ffv1', pixels='yuv444p', audio=None
    )
    full = kit.encode(tmp_path / 'full.mkv', 3, video='mjpeg', pixels='yuvj420p', audio=None)
    rgb = kit.encode(tmp_path / 'rgb.mkv', 3, video='ffv1', pixels='bgr0', audio=None)
    for source in (odd, full, rgb):
        (path,) = write_overlay(kit.report(seconds=0.1), tmp_path / f'{source.stem}.mp4', source)
        _, old = kit.decode(source)
        _, copy = kit.decode(path)
        height, width = old.shape[1] // 2 * 2, old.shape[2] // 2 * 2
        assert psnr(copy[:, :height, :width], old[:, :height, :width]) > 30
        below = old.shape[1] + old.shape[1] % 2 + 2  # the first line of the strip is grey
        paper = copy[:, below:, -3:]
        assert paper.mean() > 250  # white in every range of colour


def test_what_cannot_be_drawn(tmp_path: Path, kit: SimpleNamespace, clip: Path) -> None:
    with pytest.raises(ValueError, match='talk.v2.mp4: segments'):
        write_overlay(kit.report(texts=(), words=()), tmp_path / 'a.mp4', clip)
    (tmp_path / 'text.mp4').write_text('no video')
    with pytest.raises(MediaError, match='text.mp4'):
        write_overlay(kit.report(), tmp_path / 'a.mp4', tmp_path / 'text.mp4')
    content = kit.encode(tmp_path / 'whole.mkv', 20, audio=None).read_bytes()
    (tmp_path / 'cut.mkv').write_bytes(content[: len(content) // 2])
    with pytest.raises(MediaError, match='cut.mkv'):
        write_overlay(kit.report(), tmp_path / 'a.mp4', tmp_path / 'cut.mkv')
    assert not list(tmp_path.glob('*a.mp4')) and not list(tmp_path.glob('.*'))
