from __future__ import annotations

import os

import av
import numpy as np
import pytest

from mart_mm.datasets.media.backends import PyAVBackend
from mart_mm.datasets.media.open_video import open_video
from mart_mm.datasets.media.packed_frames import PackedFramesReader, packed_path, write_packed
from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.errors import MediaError
from mart_mm.preparation.pack_frames import Packing
from mart_mm.utils.media_writer import write_video
from tools.data.pack_frames import main

TIMES = np.concatenate([[0.0], np.random.default_rng(0).uniform(0.02, 0.2, 59).cumsum()])


@pytest.fixture
def video(tmp_path, barcode):
    path = tmp_path / 'videos' / 'a.mp4'
    write_video(path, barcode.draw(60, 192, 256), 25, times=TIMES.tolist(), gop=250)
    return path


def _pack(video, *options: str) -> int:
    return main([str(video.parent), '--short-side', '96', '--jobs', '1', *options])


def test_the_same_frames_at_the_same_times(video, barcode):
    assert _pack(video) == 0
    rng = np.random.default_rng(1)
    with (
        open_video(str(video), backend='packed', size=96) as packed,
        VideoReader(video, size=96) as reader,
    ):
        assert isinstance(packed, PackedFramesReader)
        for name in ('num_frames', 'duration', 'fps', 'size'):
            assert getattr(packed, name) == getattr(reader, name)
        np.testing.assert_array_equal(packed.times, reader.times)
        np.testing.assert_array_equal(packed.numbers, reader.numbers)
        for _ in range(10):
            indices = rng.integers(0, 60, rng.integers(1, 9)).tolist()
            frames = packed.read(indices)
            assert barcode.read(frames) == indices
            assert np.abs(frames.astype(int) - reader.read(indices)).mean() < 3
        assert packed.read([]).shape == (0, 96, 128, 3)
        assert barcode.read(packed.read(range(60))) == list(range(60))
        for indices in ([60], [-1, 3]):
            with pytest.raises(IndexError, match='of 60'):
                packed.read(indices)


def test_red_stays_red(tmp_path):
    picture = np.zeros((3, 64, 64, 3), np.uint8)
    picture[..., 0] = 220
    write_video(tmp_path / 'a.mp4', picture, 25)
    main([str(tmp_path / 'a.mp4'), '--short-side', '32', '--jobs', '1'])
    with PackedFramesReader(tmp_path / 'a.mp4') as packed:
        colour = packed.read([1])[0].mean((0, 1))
    assert colour[0] > 200 and colour[1:].max() < 30


def test_sizes(video, barcode):
    _pack(video)
    with PackedFramesReader(video, 48) as packed:
        frames = packed.read([7, 33])
        assert packed.size == (64, 48) and barcode.read(frames) == [7, 33]
    with pytest.raises(MediaError, match='--short-side 112'):
        PackedFramesReader(video, 112)
    main([str(video), '--short-side', '400', '--jobs', '1'])  # the video has 192
    with PackedFramesReader(video) as packed:
        assert packed.size == (256, 192) and packed.short_side == 400


def test_a_second_run_changes_nothing(video, capsys):
    _pack(video)
    before = packed_path(video).stat().st_mtime_ns
    assert _pack(video) == 0 and '0 were waiting' in capsys.readouterr().out
    assert packed_path(video).stat().st_mtime_ns == before


def test_another_quality_or_a_changed_video_is_packed_again(video, capsys):
    sizes = []
    for quality in ('92', '30'):
        _pack(video, '--quality', quality)
        assert '1 were waiting' in capsys.readouterr().out
        sizes.append(packed_path(video).stat().st_size)
    assert sizes[1] < sizes[0]
    status = os.stat(video)
    os.utime(video, ns=(status.st_atime_ns, status.st_mtime_ns + 10**9))
    _pack(video, '--quality', '30')
    assert '1 were waiting' in capsys.readouterr().out
    assert _pack(video, '--quality', '30') == 0 and '0 were waiting' in capsys.readouterr().out


def test_cut_and_changed_files_are_refused_and_packed_again(video, capsys):
    _pack(video)
    path = packed_path(video)
    content = path.read_bytes()
    with PackedFramesReader(video) as packed:
        pictures = packed._offsets[0]
    tables = pictures - 8 * 121  # 60 times, 61 offsets
    cuts = [0, 4, 8, 13, 20, 24, 25, 100, tables, tables + 3, tables + 8 * 30, tables + 8 * 60]
    cuts += [pictures - 8 * 30, pictures - 8 * 30 + 5, pictures - 8, pictures - 1, pictures]
    for cut in [*cuts, pictures + 100, len(content) - 1]:
        path.write_bytes(content[:cut])
        with pytest.raises(MediaError, match='(damaged|cut|no file of packed).*pack_frames.py'):
            PackedFramesReader(video)
    for place in range(8, pictures, 5):
        path.write_bytes(content[:place] + bytes([content[place] ^ 64]) + content[place + 1 :])
        with pytest.raises(MediaError, match='damaged.*pack_frames.py'):
            PackedFramesReader(video)
    assert _pack(video) == 0 and '1 were waiting' in capsys.readouterr().out
    assert path.read_bytes() == content


def test_pictures_are_written_one_by_one(tmp_path):
    video, picture = tmp_path / 'a.mp4', bytes(100_000)
    video.touch()

    def pictures():
        for index in range(20):
            temporary = next(tmp_path.glob('.*'))
            assert temporary.stat().st_size >= (index - 1) * len(picture)
            yield picture

    write_packed(video, pictures(), np.arange(20.0), 20.0, (8, 8), 8, 92)
    assert [path.name for path in tmp_path.iterdir() if path != video] == ['a.mp4.frames']
    with pytest.raises(ValueError, match='20 pictures for 21 times'):
        write_packed(video, [picture] * 20, np.arange(21.0), 21.0, (8, 8), 8, 92)


def test_one_pass_where_seeking_is_off(tmp_path, barcode, monkeypatch):
    path, count = tmp_path / 'a.avi', 700
    with av.open(str(path), 'w') as container:  # no presentation times in the file
        stream = container.add_stream('libx264', rate=25)
        stream.height, stream.width = 48, 64
        stream.pix_fmt, stream.codec_context.max_b_frames = 'yuv420p', 3
        for picture in barcode.draw(count):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format='rgb24')))
        container.mux(stream.encode())
    opened, plain = [], PyAVBackend._open
    monkeypatch.setattr(PyAVBackend, '_open', lambda self: (opened.append(1), plain(self))[1])
    Packing(48)(path)
    assert len(opened) <= 3  # for its size, for its times, for its frames
    monkeypatch.undo()
    wanted = [0, 299, 300, 601, 699]
    with VideoReader(path) as reader, PackedFramesReader(path) as packed:
        assert not reader._pyav.may_seek and packed.num_frames == count
        frames = packed.read(wanted)
        assert np.abs(frames.astype(int) - reader.read(wanted)).mean() < 3


def test_frames_decoded_in_another_order(video, barcode, monkeypatch):
    plain = VideoReader.frames

    def swapped(self):
        pairs = list(plain(self))
        yield from pairs[2:] + pairs[:2]

    monkeypatch.setattr(VideoReader, 'frames', swapped)
    Packing(96)(video)
    with PackedFramesReader(video) as packed:
        assert barcode.read(packed.read(range(60))) == list(range(60))


def test_what_does_not_fit_is_refused(video, barcode):
    with pytest.raises(MediaError, match='pack_frames.py'):
        PackedFramesReader(video)
    _pack(video)
    path = packed_path(video)
    content = path.read_bytes()
    path.write_bytes(content[:-5])
    with pytest.raises(MediaError, match='cut'):
        PackedFramesReader(video)
    path.write_bytes(b'something else')
    with pytest.raises(MediaError, match='no file of packed frames'):
        PackedFramesReader(video)
    path.write_bytes(content[:-400] + bytes(400))
    with PackedFramesReader(video) as packed:
        assert packed.read([0, 1]).shape == (2, 96, 128, 3)
    path.write_bytes(content)
    write_video(video, barcode.draw(20), 25)
    with pytest.raises(MediaError, match='another'):
        PackedFramesReader(video)


def test_broken_videos_are_named(tmp_path, capsys, barcode):
    write_video(tmp_path / 'good.mp4', barcode.draw(5), 25)
    (tmp_path / 'bad.mp4').write_text('no video')
    assert main([str(tmp_path), '--short-side', '32', '--jobs', '1']) == 1
    output = capsys.readouterr().out
    assert 'bad.mp4' in output and '1 of 2' in output
    assert packed_path(tmp_path / 'good.mp4').exists()
