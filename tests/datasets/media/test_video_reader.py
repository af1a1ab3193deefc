from pathlib import Path

import numpy as np
import pytest

from mart_mm.datasets.media.video_reader import VideoReader, scaled_size
from mart_mm.errors import MediaError
from mart_mm.utils.media_writer import write_video

BITS, COUNT = 7, 100


def bar_code(count: int) -> np.ndarray:
    """Frames that show their own index as black and white bars, 64 x 32 pixels."""
    frames = np.zeros((count, 32, 64, 3), np.uint8)
    for index in range(count):
        for bit in range(BITS):
            if index >> bit & 1:
                frames[index, :, bit * 8 : (bit + 1) * 8] = 255
    return frames


def read_code(frames: np.ndarray) -> list[int]:
    middle = [slice(bit * 8 + 2, bit * 8 + 6) for bit in range(BITS)]
    return [
        sum(int(frame[8:-8, columns].mean() > 128) << bit for bit, columns in enumerate(middle))
        for frame in frames
    ]


@pytest.mark.parametrize('suffix', ['mp4', 'mkv'])
@pytest.mark.parametrize('gop', [12, 250])
@pytest.mark.parametrize('is_variable', [False, True])
def test_frames_are_exact(tmp_path: Path, suffix: str, gop: int, is_variable: bool) -> None:
    rng = np.random.default_rng(0)
    times = np.arange(COUNT) / 25
    if is_variable:
        times = np.cumsum(rng.uniform(0.02, 0.2, COUNT))
        times -= times[0]
    path = tmp_path / f'bars.{suffix}'
    write_video(path, bar_code(COUNT), 25, gop=gop, times=times if is_variable else None)
    for backend in ('decord', 'pyav'):
        with VideoReader(str(path), backend=backend) as reader:
            assert reader.num_frames == COUNT
            np.testing.assert_allclose(reader.times, times, atol=6e-4)  # mkv keeps milliseconds
            wanted = [5, 5, *rng.permutation(COUNT)[:30].tolist(), 99, 0]
            assert read_code(reader.read(wanted)) == wanted
            assert read_code(reader.read(range(COUNT))) == list(range(COUNT))


def test_scaling_keeps_the_aspect_and_even_sides(tmp_path: Path) -> None:
    assert scaled_size(341, 256, 128) == (170, 128)
    assert scaled_size(256, 341, 128) == (128, 170)
    assert scaled_size(64, 32, None) == (64, 32)
    write_video(tmp_path / 'a.mp4', bar_code(4), 25)
    for backend in ('decord', 'pyav'):
        reader = VideoReader(str(tmp_path / 'a.mp4'), backend=backend, size=64)
        assert reader.read([0, 3]).shape == (2, 64, 128, 3)


def test_auto_falls_back_where_decord_fails(tmp_path: Path) -> None:
    """decord 0.6.0 cannot return pictures 48 pixels wide."""
    frames = np.random.default_rng(0).integers(0, 255, (5, 48, 48, 3), np.uint8)
    write_video(tmp_path / 'small.mp4', frames, 8)
    reader = VideoReader(str(tmp_path / 'small.mp4'))
    assert reader.read([4]).shape == (1, 48, 48, 3)
    assert reader.backend == 'pyav'


@pytest.mark.parametrize('backend', ['auto', 'pyav'])
@pytest.mark.parametrize('fault', ['absent', 'empty', 'text', 'cut', 'audio'])
def test_broken_files_are_named(tmp_path: Path, fault: str, backend: str) -> None:
    path = tmp_path / 'broken.mp4'
    if fault == 'empty':
        path.touch()
    elif fault == 'text':
        path.write_text('not a video ' * 100)
    elif fault == 'cut':
        write_video(path, bar_code(50), 25)
        path.write_bytes(path.read_bytes()[:2000])
    elif fault == 'audio':
        import av

        with av.open(str(path), 'w') as container:
            stream = container.add_stream('aac', rate=16000, layout='mono')
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), 'fltp', 'mono')
            frame.sample_rate = 16000
            container.mux(stream.encode(frame))
            container.mux(stream.encode())
    with pytest.raises(MediaError, match=r'broken\.mp4: .+'):
        VideoReader(str(path), backend=backend)


def test_damaged_middle_is_an_error_not_a_wrong_frame(tmp_path: Path) -> None:
    path = tmp_path / 'damaged.mkv'
    write_video(path, np.random.default_rng(0).integers(0, 255, (60, 64, 64, 3), np.uint8), 25)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    reader = VideoReader(str(path), backend='pyav')
    assert reader.num_frames < 60
    assert reader.read([0]).shape == (1, 64, 64, 3)
    with pytest.raises(IndexError, match='frames 59 to 59'):
        reader.read([59])


@pytest.mark.parametrize(
    'name',
    ['nasa_13013.mp4', 'flipping_a_pancake.mkv', 'demo.mp4', 'chaplin.mp4', 'single_face.mp4',
     'big_buck_bunny_432_433.webm'],
)  # fmt: skip
def test_backends_agree_on_real_media(shared_data: Path, name: str) -> None:
    path = str(shared_data / 'media' / name)
    readers = [VideoReader(path, backend=backend) for backend in ('decord', 'pyav')]
    assert readers[0].num_frames == readers[1].num_frames
    np.testing.assert_allclose(readers[0].times, readers[1].times, atol=2e-3)
    wanted = np.linspace(0, readers[0].num_frames - 1, 7).astype(int)
    frames = [reader.read(wanted).astype(int) for reader in readers]
    # conversion to RGB may round differently; another frame would differ by far more
    assert np.abs(frames[0] - frames[1]).mean() < 1.5
