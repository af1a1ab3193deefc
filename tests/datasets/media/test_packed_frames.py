from __future__ import annotations

import numpy as np
import pytest

from mart_mm.datasets.media.open_video import open_video
from mart_mm.datasets.media.packed_frames import PackedFramesReader, packed_path
from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.errors import MediaError
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
