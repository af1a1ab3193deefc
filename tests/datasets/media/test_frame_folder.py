from __future__ import annotations

import cv2
import numpy as np
import pytest

from mart_mm.datasets.media.frame_folder import FrameFolderReader
from mart_mm.datasets.media.open_video import open_video
from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.errors import MediaError
from mart_mm.utils.media_writer import write_video

NUMBERS = [2, 3, 5, 40, 9999, 10001]


@pytest.fixture
def folder(tmp_path, barcode):
    """Pictures whose bar code is the last digits of their number."""
    folder = tmp_path / 'video_left'
    folder.mkdir()
    pictures = barcode.draw(256, 96, 128)
    for number in NUMBERS:
        cv2.imwrite(str(folder / f'{number:05d}.jpg'), pictures[number % 256])
    (folder / '.DS_Store').write_bytes(b'x')
    (folder / 'notes.jpg').write_bytes(b'x')
    (folder / '00007.txt').write_text('x')
    return folder


def test_only_frames_that_exist_are_frames(folder, barcode):
    with FrameFolderReader(str(folder), fps=25) as reader:
        assert reader.numbers.tolist() == NUMBERS and reader.num_frames == 6
        np.testing.assert_allclose(reader.times, [(number - 1) / 25 for number in NUMBERS])
        assert reader.duration == pytest.approx(10001 / 25)
        assert reader.size == (128, 96) and reader.fps == 25
        for indices in ([0, 1, 2, 3, 4, 5], [5, 0, 5, 3], [4]):
            frames = reader.read(indices)
            assert frames.dtype == np.uint8 and frames.shape == (len(indices), 96, 128, 3)
            assert barcode.read(frames) == [NUMBERS[index] % 256 for index in indices]
        assert reader.read([]).shape == (0, 96, 128, 3)
        for indices in ([6], [-1, 2]):
            with pytest.raises(IndexError, match='of 6'):
                reader.read(indices)


def test_default_rate(folder):
    assert FrameFolderReader(str(folder)).times[0] == pytest.approx(1 / 30)


@pytest.mark.parametrize('size', [24, 48, 200])
def test_scaling(folder, barcode, size):
    reader = FrameFolderReader(str(folder), size=size)
    frames = reader.read([3, 0])
    width, height = reader.size
    assert height == size and frames.shape == (2, height, width, 3)
    assert abs(width / height - 128 / 96) < 2 / size
    assert barcode.read(frames) == [40, 2]


def test_colours(tmp_path):
    picture = np.zeros((32, 48, 3), np.uint8)
    picture[:, :, 0] = 200  # blue, for OpenCV
    cv2.imwrite(str(tmp_path / '1.png'), picture)
    cv2.imwrite(str(tmp_path / '2.png'), picture[..., 0])  # grey
    cv2.imwrite(str(tmp_path / '3.jpg'), cv2.resize(picture, (24, 32)))  # of another size
    frames = FrameFolderReader(str(tmp_path)).read([0, 1, 2])
    assert frames.shape == (3, 32, 48, 3)
    assert (frames[0] == [0, 0, 200]).all() and (frames[1] == 200).all()
    np.testing.assert_allclose(frames[2].mean(axis=(0, 1)), [0, 0, 200], atol=4)


def test_broken_folders(folder, tmp_path):
    whole = (folder / '00040.jpg').read_bytes()
    reader = FrameFolderReader(str(folder))
    for content in (whole[: len(whole) // 2], b'', b'no picture'):
        (folder / '00040.jpg').write_bytes(content)
        assert len(reader.read([0, 2, 4])) == 3
        with pytest.raises(MediaError, match='00040.jpg is no picture, or is damaged') as caught:
            reader.read([0, 3])
        assert caught.value.path == str(folder)
    (folder / '00040.jpg').unlink()  # while it is open
    with pytest.raises(MediaError, match='00040.jpg'):
        reader.read([3])
    (folder / '00002.jpg').write_bytes(b'')
    with pytest.raises(MediaError, match='00002.jpg'):
        FrameFolderReader(str(folder))
    (folder / '2.png').write_bytes(whole)
    with pytest.raises(MediaError, match='frame 2 stands twice'):
        FrameFolderReader(str(folder))
    (tmp_path / 'zero').mkdir()
    (tmp_path / 'zero' / '00000.jpg').write_bytes(whole)
    (tmp_path / 'empty').mkdir()
    for name, reason in (
        ('zero', 'numbered from 1'),
        ('empty', 'no frame such as 00001.jpg'),
        ('absent', 'cannot be opened'),
    ):
        with pytest.raises(MediaError, match=reason):
            FrameFolderReader(str(tmp_path / name))


def test_wrong_arguments(folder):
    with pytest.raises(ValueError, match='size=1'):
        FrameFolderReader(str(folder), size=1)
    with pytest.raises(ValueError, match='fps=0'):
        FrameFolderReader(str(folder), fps=0)


def test_open_video_takes_files_and_folders(folder, tmp_path, barcode):
    write_video(tmp_path / 'a.mp4', barcode.draw(10), 20)
    with open_video(str(tmp_path / 'a.mp4'), backend='pyav', size=24, fps=99) as reader:
        assert isinstance(reader, VideoReader) and reader.backend == 'pyav'
        assert reader.size == (32, 24) and reader.fps == pytest.approx(20)
        assert barcode.read(reader.read([7])) == [7]
    with open_video(str(folder), size=24, fps=20) as reader:
        assert isinstance(reader, FrameFolderReader)
        assert reader.size == (32, 24) and reader.fps == 20
        assert barcode.read(reader.read([3])) == [40]
    with pytest.raises(MediaError, match='does not exist'):
        open_video(str(tmp_path / 'absent'))
    shared = ('numbers', 'times', 'num_frames', 'duration', 'fps', 'size')
    with open_video(str(tmp_path / 'a.mp4')) as file, open_video(str(folder)) as pictures:
        for name in shared:
            assert type(getattr(file, name)) is type(getattr(pictures, name)), name
