from __future__ import annotations

import av
import numpy as np
import pytest

from mart_mm.utils.media_writer import write_video


def _noise(count: int, height: int = 16, width: int = 16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize('suffix', ['mp4', 'mkv'])
def test_streams_rate_and_key_frames(tmp_path, suffix):
    path = tmp_path / 'new' / f'a.{suffix}'
    sound = np.zeros(16000, dtype=np.float32)
    write_video(path, _noise(25), 12.5, sound, 16000, gop=10)
    with av.open(str(path)) as container:
        video, audio = container.streams
        assert (video.codec_context.name, audio.codec_context.name) == ('h264', 'aac')
        assert audio.rate == 16000 and audio.channels == 1
        packets = [p for p in container.demux(video) if p.size]
    stamps = sorted(packet.pts for packet in packets)
    seconds = [float(stamp * video.time_base) for stamp in stamps]
    np.testing.assert_allclose(seconds, np.arange(25) / 12.5, atol=1e-3)
    assert [stamps.index(p.pts) for p in packets if p.is_keyframe] == [0, 10, 20]


def test_variable_rate(tmp_path):
    times = [0.0, 0.5, 0.52, 1.75]
    write_video(tmp_path / 'a.mp4', _noise(4), 25, times=times)
    with av.open(str(tmp_path / 'a.mp4')) as container:
        assert not container.streams.audio
        assert [f.time for f in container.decode(video=0)] == pytest.approx(times, abs=1e-4)


def test_quality_and_codec(tmp_path):
    smooth = np.linspace(0, 255, 32 * 32, dtype=np.uint8).reshape(1, 32, 32, 1)
    frames = np.broadcast_to(smooth, (3, 32, 32, 3))
    errors = {}
    for crf in (5, 45):
        write_video(tmp_path / 'a.mp4', frames, 25, crf=crf)
        with av.open(str(tmp_path / 'a.mp4')) as container:
            shown = next(container.decode(video=0)).to_ndarray(format='rgb24')
        errors[crf] = np.abs(shown - frames[0].astype(int)).mean()
    assert errors[5] < 3 and errors[5] < errors[45]
    write_video(tmp_path / 'a.avi', frames, 25, codec='mpeg4')
    with av.open(str(tmp_path / 'a.avi')) as container:
        assert container.streams.video[0].codec_context.name == 'mpeg4'


def test_the_same_content_gives_the_same_bytes(tmp_path):
    for name in ('a.mp4', 'b.mp4'):
        write_video(tmp_path / name, _noise(10), 25, np.zeros(4000, dtype=np.float32))
    assert (tmp_path / 'a.mp4').read_bytes() == (tmp_path / 'b.mp4').read_bytes()


def test_wrong_arguments(tmp_path):
    path = tmp_path / 'a.mp4'
    for frames, reason in (
        (_noise(2, 15, 16), '16x15'),
        (_noise(2).astype(np.float32), 'float32'),
        (_noise(2)[0], r'\(16, 16, 3\)'),
        (_noise(0), r'\(0, 16, 16, 3\)'),
    ):
        with pytest.raises(ValueError, match=reason):
            write_video(path, frames, 25)
    with pytest.raises(ValueError, match='1 times for 2 frames'):
        write_video(path, _noise(2), 25, times=[0.0])
    with pytest.raises(ValueError, match='rise'):
        write_video(path, _noise(2), 25, times=[0.0, 0.0])
    assert not path.exists()
