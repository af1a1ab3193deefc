from __future__ import annotations

import av
import numpy as np
import pytest

from mart_mm.datasets.media.frame_table import format_family, scan_frames
from mart_mm.datasets.media.streams import find_video_stream
from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.errors import MediaError
from mart_mm.utils.media_writer import write_video

FPS = 25


@pytest.fixture(scope='module')
def source(tmp_path_factory, barcode):
    path = tmp_path_factory.mktemp('table') / 'source.mp4'
    noise = np.random.default_rng(0).standard_normal(32000).astype(np.float32) * 0.1
    write_video(path, barcode.draw(50), FPS, audio=noise, gop=12)
    return path


def _remux(source, target, *, options=None, shift=0):
    """Copy the packets, ``shift`` frames earlier."""
    with av.open(str(source)) as old, av.open(str(target), 'w', options=options or {}) as new:
        copies = {stream.index: new.add_stream_from_template(stream) for stream in old.streams}
        for packet in old.demux():
            if packet.dts is None:
                continue
            ticks = round(shift / FPS / packet.time_base)
            packet.pts, packet.dts = packet.pts - ticks, packet.dts - ticks
            packet.stream = copies[packet.stream_index]
            new.mux(packet)
    return target


def _scan(path):
    with av.open(str(path)) as container:
        return scan_frames(str(path), container, find_video_stream(container))


@pytest.mark.parametrize('suffix', ['mp4', 'mkv'])
def test_table_of_a_plain_file(source, tmp_path, suffix):
    table = _scan(_remux(source, tmp_path / f'copy.{suffix}'))
    assert table.keys == [0, 12, 24, 36, 48]
    assert len(table.stamps) == 50 and table.stamps == sorted(table.stamps)
    assert [table.index_of[stamp] for stamp in table.stamps] == list(range(50))
    assert table.size == (64, 48) and table.rotation == 0 and not table.has_open_gops
    assert table.duration == pytest.approx(2.0, abs=2e-3)


def test_open_groups_are_seen(tmp_path, barcode):
    with av.open(str(tmp_path / 'open.mkv'), 'w') as container:
        stream = container.add_stream('libx264', rate=FPS)
        stream.height, stream.width, stream.pix_fmt = 48, 64, 'yuv420p'
        stream.options = {'x264-params': 'open-gop=1:keyint=12:scenecut=0:b-adapt=0:bframes=2'}
        for picture in barcode.draw(40):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format='rgb24')))
        container.mux(stream.encode())
    table = _scan(tmp_path / 'open.mkv')
    assert table.has_open_gops and len(table.keys) > 2


def test_edit_list_hides_frames(source, tmp_path, barcode):
    reader = VideoReader(_remux(source, tmp_path / 'edited.mp4', shift=7))
    assert reader.num_frames == 43
    assert barcode.read(reader.read([0, 1, 30, 42])) == [7, 8, 37, 49]


@pytest.mark.parametrize('backend', ['auto', 'pyav'])
def test_cut_files_are_told(source, tmp_path, backend):
    moov_last = source.read_bytes()
    moov_first = _remux(source, tmp_path / 'f.mp4', options={'movflags': 'faststart'}).read_bytes()
    matroska = _remux(source, tmp_path / 'f.mkv').read_bytes()
    VideoReader(tmp_path / 'f.mp4', backend).read([49])  # whole, it reads
    for name, content, reason in (
        ('moov_last.mp4', moov_last, 'cannot be read as video'),
        ('moov_first.mp4', moov_first, r'announces 50 frames: (\d+) frames can be read'),
        ('cut.mkv', matroska, r'the file ends after .* s: (\d+) frames can be read'),
    ):
        (tmp_path / name).write_bytes(content[: int(0.45 * len(content))])
        with pytest.raises(MediaError, match=reason) as caught:
            VideoReader(tmp_path / name, backend)
        assert caught.value.path.endswith(name)


@pytest.mark.parametrize('backend', ['auto', 'pyav'])
def test_damaged_pictures(source, tmp_path, backend):
    """Frames before the damage read; those behind it fail with the number that could be read."""
    with av.open(str(source)) as container:
        places = [p.pos for p in container.demux(video=0) if p.size and p.pts is not None]
    content = bytearray(source.read_bytes())
    start, stop = sorted(places)[24], sorted(places)[-1]
    content[start:stop] = bytes(stop - start)
    (tmp_path / 'holed.mp4').write_bytes(content)
    reader = VideoReader(tmp_path / 'holed.mp4', backend)
    assert reader.num_frames == 50
    assert reader.read([0, 10]).shape == (2, 48, 64, 3)
    with pytest.raises(MediaError, match='2 of 4 wanted frames can be read, frame 30 of 50'):
        reader.read([30, 0, 10, 40])


def test_format_family(source, tmp_path):
    with av.open(str(source)) as container:
        assert format_family(container) == 'mov'
    with av.open(str(_remux(source, tmp_path / 'a.mkv'))) as container:
        assert format_family(container) == 'matroska'
