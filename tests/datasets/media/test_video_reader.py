from __future__ import annotations

from functools import wraps

import av
import numpy as np
import pytest

from mart_mm.datasets.cache import FileCache
from mart_mm.datasets.media.backends import PyAVBackend, import_decord, scaled_size
from mart_mm.datasets.media.frame_table import scan_frames
from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.errors import MediaError
from mart_mm.utils.media_writer import write_video

NUM_FRAMES, FPS = 90, 25
BACKENDS = ['pyav', 'decord', 'auto']
CODECS = {'mp4': 'libx264', 'mkv': 'libx264', 'vp8.webm': 'libvpx', 'vp9.webm': 'libvpx-vp9'}
REAL = [
    'big_buck_bunny_432_433.webm',
    'chaplin.mp4',
    'demo.mp4',
    'flipping_a_pancake.mkv',
    'single_face.mp4',
]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == 'decord' and import_decord() is None:
        pytest.skip('decord is not installed')
    return request.param


@pytest.fixture(scope='module')
def planned() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    gaps = rng.choice([0.02, 0.04, 0.1, 0.25], NUM_FRAMES - 1)
    return {
        'constant': np.arange(NUM_FRAMES) / FPS,
        'variable': np.concatenate([[0.0], gaps.cumsum()]),
        'late': 0.5 + np.arange(NUM_FRAMES) / FPS,
    }


@pytest.fixture(scope='module')
def folder(tmp_path_factory, barcode, planned):
    folder = tmp_path_factory.mktemp('barcodes')
    frames = barcode.draw(NUM_FRAMES)
    for rate, times in planned.items():
        for gop in (12, 250):
            for suffix, codec in CODECS.items():
                path = folder / f'{rate}_{gop}.{suffix}'
                stamps = None if rate == 'constant' else times.tolist()
                write_video(path, frames, FPS, times=stamps, gop=gop, codec=codec)
    return folder


@pytest.mark.parametrize('suffix', list(CODECS))
@pytest.mark.parametrize('gop', [12, 250])
@pytest.mark.parametrize('rate', ['constant', 'variable', 'late'])
def test_frames_and_times_are_exact(folder, planned, barcode, backend, rate, gop, suffix):
    rng = np.random.default_rng(gop)
    with VideoReader(folder / f'{rate}_{gop}.{suffix}', backend) as reader:
        assert reader.num_frames == NUM_FRAMES
        assert reader.numbers.tolist() == list(range(1, NUM_FRAMES + 1))
        assert reader.size == (64, 48)
        assert reader.backend in ('pyav', 'decord') and backend in (reader.backend, 'auto')
        expected = planned[rate] - planned[rate][0]
        rounding = 1e-5 if suffix == 'mp4' else 5e-4  # matroska and webm count milliseconds
        np.testing.assert_allclose(reader.times, expected, atol=rounding)
        assert reader.duration == pytest.approx(expected[-1] + 1 / FPS, abs=0.26)
        assert reader.fps == pytest.approx(NUM_FRAMES / reader.duration)
        assert barcode.read(reader.read(range(NUM_FRAMES))) == list(range(NUM_FRAMES))
        for _ in range(12):  # any order, repeated, sparse and dense, the last frames too
            indices = rng.integers(0, NUM_FRAMES, rng.integers(1, 8)).tolist()
            assert barcode.read(reader.read(indices)) == indices
        assert barcode.read(reader.read([NUM_FRAMES - 1])) == [NUM_FRAMES - 1]
        assert barcode.read(reader.read([0])) == [0]


def test_duration_of_a_constant_rate(folder):
    assert VideoReader(folder / 'constant_12.mp4').duration == pytest.approx(NUM_FRAMES / FPS)


@pytest.mark.parametrize('threads', [1, 3])
def test_threads(folder, barcode, backend, threads):
    reader = VideoReader(folder / 'variable_12.mp4', backend, num_threads=threads)
    wanted = [50, 3, 89, 88, 51, 4]
    assert barcode.read(reader.read(wanted)) == wanted


@pytest.mark.parametrize('size', [24, 30, 96])
def test_scaling_in_the_decoder(folder, barcode, backend, size):
    reader = VideoReader(folder / 'constant_12.mp4', backend, size=size)
    frames = reader.read([7, 70, 33])
    width, height = reader.size
    assert frames.shape == (3, height, width, 3) and frames.dtype == np.uint8
    assert height == size and width % 2 == 0
    assert abs(width / height - 64 / 48) < 2 / size
    assert barcode.read(frames) == [7, 70, 33]


def test_scaled_size():
    assert scaled_size(640, 360, None) == (640, 360)
    assert scaled_size(640, 360, 128) == (228, 128)
    assert scaled_size(360, 640, 128) == (128, 228)
    assert scaled_size(4000, 10, 2) == (800, 2)


_OPEN = 'open-gop=1:keyint=12:scenecut=0'


def _encode(path, frames, codec, options, *, rotation=None, b_frames=None):
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=FPS)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt, stream.options, stream.gop_size = 'yuv420p', options, 12
        if b_frames is not None:
            stream.codec_context.max_b_frames = b_frames
        if rotation is not None:
            stream.set_display_rotation(rotation)
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format='rgb24')))
        container.mux(stream.encode())


@pytest.mark.parametrize(
    ('name', 'codec', 'options', 'b_frames'),
    [
        # decord gets the next two wrong: all over the file, and in its last frame
        ('open_gops.mkv', 'libx264', {'x264-params': f'{_OPEN}:b-adapt=0:bframes=2'}, None),
        ('last_frame.mp4', 'libx264', {'x264-params': 'open-gop=1'}, None),
        ('h264.avi', 'libx264', {}, 3),  # no presentation times in the file
        ('mpeg4.avi', 'mpeg4', {'b': '2000000'}, 0),
        ('divx.avi', 'mpeg4', {'b': '2000000'}, 2),
        ('stream.ts', 'libx264', {}, 3),  # seeks miss
        ('mpeg2.mpg', 'mpeg2video', {'b': '2000000'}, 2),
        ('h264.flv', 'libx264', {}, 3),
        ('vp9.webm', 'libvpx-vp9', {'b': '1000000', 'deadline': 'realtime', 'cpu-used': '8'}, None),
    ],
)
def test_other_containers_are_exact(tmp_path, barcode, name, codec, options, b_frames):
    _encode(tmp_path / name, barcode.draw(60), codec, options, b_frames=b_frames)
    reader = VideoReader(tmp_path / name)
    np.testing.assert_allclose(reader.times, np.arange(60) / FPS, atol=6e-4)
    for indices in ([59], [40, 13, 41, 40], [51, 3, 26, 25], list(range(60))):
        assert barcode.read(reader.read(indices)) == indices


@pytest.mark.parametrize('rotation', [None, 90])
def test_all_frames_in_one_pass(tmp_path, barcode, rotation):
    _encode(tmp_path / 'a.mp4', barcode.draw(30), 'libx264', {}, rotation=rotation)
    with VideoReader(tmp_path / 'a.mp4', size=30) as reader:
        expected = reader.read(range(30))
        for _ in range(2):
            pairs = list(reader.frames())
            assert [index for index, _ in pairs] == list(range(30))
            np.testing.assert_array_equal([frame for _, frame in pairs], expected)
        np.testing.assert_array_equal(reader.read([12, 3]), expected[[12, 3]])


def _add_hidden_pictures(source, target):
    """Before each key frame a picture that is not shown, as VP8's two-pass encoding stores them."""
    with av.open(str(source)) as old, av.open(str(target), 'w') as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if not packet.size:
                continue
            packet.stream = stream
            if packet.is_keyframe and packet.pts:
                content = bytearray(bytes(packet))
                content[0] &= ~0x10  # show_frame, RFC 6386, section 9.1
                hidden = av.Packet(bytes(content))
                hidden.pts = hidden.dts = packet.pts - 1
                hidden.time_base, hidden.stream = packet.time_base, stream
                new.mux(hidden)
            new.mux(packet)


@pytest.mark.parametrize('backend', ['auto', 'pyav'])
def test_pictures_that_are_not_shown_are_no_frames(folder, tmp_path, barcode, backend):
    _add_hidden_pictures(folder / 'constant_12.vp8.webm', tmp_path / 'a.webm')
    with av.open(str(tmp_path / 'a.webm')) as container:
        assert sum(1 for packet in container.demux(video=0) if packet.size) > NUM_FRAMES
    reader = VideoReader(tmp_path / 'a.webm', backend)
    np.testing.assert_allclose(reader.times, np.arange(NUM_FRAMES) / FPS, atol=6e-4)
    for indices in ([NUM_FRAMES - 1], [12, 11, 13, 0], list(range(NUM_FRAMES))):
        assert barcode.read(reader.read(indices)) == indices


def test_decord_refuses_what_it_gets_wrong(folder, tmp_path, barcode):
    if import_decord() is None:
        pytest.skip('decord is not installed')
    frames = barcode.draw(40)
    _encode(tmp_path / 'container.avi', frames, 'libx264', {})
    _encode(tmp_path / 'transport.ts', frames, 'libx264', {})
    _encode(tmp_path / 'open.mkv', frames, 'libx264', {'x264-params': f'{_OPEN}:bframes=2'})
    _encode(tmp_path / 'rotated.mp4', frames, 'libx264', {}, rotation=90)
    _encode(tmp_path / 'codec.webm', frames, 'libsvtav1', {'preset': '12', 'crf': '20'})
    _add_hidden_pictures(folder / 'constant_12.vp8.webm', tmp_path / 'hidden.webm')
    for path in tmp_path.iterdir():
        with pytest.raises(MediaError, match='decord') as caught:
            VideoReader(path, 'decord')
        assert caught.value.path == str(path)
        reader = VideoReader(path, 'auto')
        assert reader.backend == 'pyav'
        picture = reader.read([39, 3, 24])
        if path.stem == 'rotated':
            picture = np.rot90(picture, -1, axes=(1, 2))
        assert barcode.read(picture) == [39, 3, 24]


@pytest.mark.parametrize(('rotation', 'turns'), [(90, 1), (180, 2), (270, 3)])
def test_rotated_pictures_stand_upright(tmp_path, barcode, rotation, turns):
    frames = barcode.draw(12)
    _encode(tmp_path / 'plain.mp4', frames, 'libx264', {})
    _encode(tmp_path / 'rotated.mp4', frames, 'libx264', {}, rotation=rotation)
    reader = VideoReader(tmp_path / 'rotated.mp4')
    plain = VideoReader(tmp_path / 'plain.mp4').read([5, 11])
    turned = reader.read([5, 11])
    np.testing.assert_array_equal(turned, np.stack([np.rot90(f, turns) for f in plain]))
    assert reader.size == (turned.shape[2], turned.shape[1])


def test_one_frame(tmp_path, barcode, backend):
    write_video(tmp_path / 'one.mp4', barcode.draw(8)[5:6], FPS)
    reader = VideoReader(tmp_path / 'one.mp4', backend)
    assert reader.num_frames == 1 and reader.times.tolist() == [0.0]
    assert reader.duration == pytest.approx(1 / FPS)
    assert barcode.read(reader.read([0, 0])) == [5, 5]


def test_wrong_arguments(folder, backend):
    with pytest.raises(ValueError, match='opencv'):
        VideoReader(folder / 'constant_12.mp4', 'opencv')
    with pytest.raises(ValueError, match='size=1'):
        VideoReader(folder / 'constant_12.mp4', size=1)
    with VideoReader(folder / 'constant_12.mp4', backend) as reader:
        assert reader.read([]).shape == (0, 48, 64, 3)
        for indices in ([NUM_FRAMES], [-1, 0]):
            with pytest.raises(IndexError, match=f'of {NUM_FRAMES}'):
                reader.read(indices)


def test_not_a_video(tmp_path, backend):
    (tmp_path / 'empty.mp4').touch()
    (tmp_path / 'text.mp4').write_text('a text, not a video\n' * 50)
    with av.open(str(tmp_path / 'sound.mp4'), 'w') as container:
        stream = container.add_stream('aac', rate=16000, layout='mono')
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), 'f4'), 'fltp', 'mono')
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    for name, reason in (
        ('empty.mp4', 'cannot be read as video'),
        ('text.mp4', 'cannot be read as video'),
        ('sound.mp4', 'no video stream'),
        ('absent.mp4', 'does not exist'),
    ):
        with pytest.raises(MediaError, match=reason) as caught:
            VideoReader(tmp_path / name, backend)
        assert caught.value.path == str(tmp_path / name)


def test_decord_failure_is_named(folder, monkeypatch):
    if import_decord() is None:
        pytest.skip('decord is not installed')

    def fail(*_: object) -> None:
        raise import_decord().DECORDError('nothing decodes today')

    reader = VideoReader(folder / 'constant_12.mp4', 'decord')
    monkeypatch.setattr(import_decord().VideoReader, 'get_batch', fail)
    with pytest.raises(MediaError, match='nothing decodes today'):
        reader.read([3, 44])


def test_without_decord(folder, barcode, monkeypatch):
    monkeypatch.setattr('mart_mm.datasets.media.backends.import_decord', lambda: None)
    assert barcode.read(VideoReader(folder / 'constant_12.mp4').read([9])) == [9]
    with pytest.raises(ImportError, match='decord is not installed'):
        VideoReader(folder / 'constant_12.mp4', 'decord')


def _film(count: int) -> np.ndarray:
    """Pictures that move, so that each is predicted from others."""
    rng = np.random.default_rng(0)
    texture = np.kron(rng.integers(0, 255, (20, 40, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    grain = rng.integers(0, 12, (count, 64, 96, 3), dtype=np.uint8)
    return np.stack([texture[i : i + 64, 2 * i : 2 * i + 96] // 2 for i in range(count)]) + grain


@pytest.mark.parametrize('suffix', ['mp4', 'mkv'])
@pytest.mark.parametrize('threads', [1, 2])
@pytest.mark.parametrize(
    'settings',
    [
        'bframes=0:keyint=250',
        'bframes=3:b-pyramid=normal:keyint=250',
        'bframes=8:b-adapt=0:b-pyramid=none:ref=5:keyint=30',
        'bframes=5:b-adapt=0:direct=temporal:weightb=1:weightp=2:keyint=250',
        'bframes=3:open-gop=1:keyint=12:b-adapt=0',
        'interlaced=1:bframes=3:keyint=40',
        'intra-refresh=1:keyint=20:bframes=2',
    ],
)
def test_pictures_left_out_change_no_other(tmp_path, settings, threads, suffix):
    """x264 marks which pictures none is predicted from; without them the rest decodes the same."""
    path = tmp_path / f'film.{suffix}'
    _encode(path, _film(80), 'libx264', {'x264-params': f'{settings}:scenecut=0'})
    with av.open(str(path)) as container:
        expected = np.stack([f.to_ndarray(format='rgb24') for f in container.decode(video=0)])
    assert len(expected) == 80
    rng = np.random.default_rng(len(settings))
    with VideoReader(path, num_threads=threads) as reader:
        for _ in range(25):
            indices = rng.choice(80, rng.integers(1, 9)).tolist()
            np.testing.assert_array_equal(reader.read(indices), expected[indices])
        np.testing.assert_array_equal(reader.read(range(30, 46)), expected[30:46])
        # only without key frames, where decoding recovers slowly, it fell back to decoding all
        assert reader._decoder.may_seek == ('intra-refresh' not in settings)


def test_unneeded_pictures_are_not_decoded(tmp_path, monkeypatch):
    _encode(tmp_path / 'a.mp4', _film(80), 'libx264', {'x264-params': 'keyint=250:bframes=3'})
    reader = VideoReader(tmp_path / 'a.mp4')
    shown = []
    plain = PyAVBackend._decode_skipping

    def counted(self, *args):
        for frame in plain(self, *args):
            shown.append(frame.pts)
            yield frame

    monkeypatch.setattr(PyAVBackend, '_decode_skipping', counted)
    reader.read([70])
    assert len(shown) < 50


class _FirstPacketWithoutStamps:
    """Stands for a container in which the first packet behind a seek has no time stamp."""

    def __init__(self, container: av.container.InputContainer) -> None:
        self.seek, self.close, self._demux = container.seek, container.close, container.demux

    def demux(self, stream):
        packets = self._demux(stream)
        first = next(packets)
        first.pts = first.dts = None
        yield first
        yield from packets


def test_a_packet_without_stamps_behind_a_seek(folder, barcode):
    with VideoReader(folder / 'constant_12.mp4') as reader:
        reader._pyav.container = _FirstPacketWithoutStamps(reader._pyav.container)
        assert barcode.read(reader.read([70, 3, 40])) == [70, 3, 40]
        assert not reader._pyav.may_seek


def test_tables_from_the_cache(folder, tmp_path, barcode, monkeypatch):
    cache = FileCache(str(tmp_path / 'cache'))
    _encode(tmp_path / 'uncounted.avi', barcode.draw(60), 'libx264', {}, b_frames=3)
    paths = [folder / 'variable_250.mp4', folder / 'late_12.mkv', tmp_path / 'uncounted.avi']
    fresh = [VideoReader(path, cache=cache)._decoder.table for path in paths]

    @wraps(scan_frames)
    def fail(*_: object) -> None:
        raise AssertionError('the file is gone through again')

    monkeypatch.setattr('mart_mm.datasets.media.frame_table_cache.scan_frames', fail)
    for path, table in zip(paths, fresh, strict=True):
        reader = VideoReader(path, cache=cache)
        kept = dict(vars(reader._decoder.table))
        np.testing.assert_array_equal(kept.pop('times'), table.times)
        assert kept == {name: value for name, value in vars(table).items() if name != 'times'}
        assert barcode.read(reader.read([50, 3])) == [50, 3]


def test_a_changed_file_has_a_new_table(tmp_path, barcode):
    cache, path = FileCache(str(tmp_path / 'cache')), tmp_path / 'a.mp4'
    for count in (20, 30):
        write_video(path, barcode.draw(count), FPS)
        assert VideoReader(path, cache=cache).num_frames == count


@pytest.mark.parametrize('name', REAL)
def test_backends_agree_on_real_media(shared_data, name):
    if import_decord() is None:
        pytest.skip('decord is not installed')
    path = shared_data / 'media' / name
    with VideoReader(path, 'pyav') as first, VideoReader(path, 'decord') as second:
        assert (first.backend, second.backend) == ('pyav', 'decord')
        indices = np.random.default_rng(0).integers(0, first.num_frames, 8).tolist()
        np.testing.assert_array_equal(first.read(indices), second.read(indices))


@pytest.mark.parametrize('name', [*REAL, 'nasa_13013.mp4'])
def test_random_access_equals_sequential_decoding(shared_data, name):
    path = shared_data / 'media' / name
    reader = VideoReader(path, 'pyav')
    indices = np.random.default_rng(1).integers(0, reader.num_frames, 6).tolist()
    frames = reader.read(indices)
    with av.open(str(path)) as container:
        best = container.streams.best('video')
        for index, frame in enumerate(container.decode(best)):
            for place in np.flatnonzero(np.array(indices) == index):
                np.testing.assert_array_equal(frames[place], frame.to_ndarray(format='rgb24'))
    assert index == reader.num_frames - 1
