"""What decoders raise, and what headers announce that no film has."""

from __future__ import annotations

import resource
import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from mart_mm.datasets.media.audio_reader import read_audio
from mart_mm.datasets.media.faults import (
    check_picture,
    check_room,
    check_seconds,
    check_sound,
    media_faults,
    open_media,
)
from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.errors import MediaError, sum_up
from mart_mm.utils.media_writer import write_video


def damaged() -> None:
    raise av.error.InvalidDataError(1094995529, 'Invalid data found', '/some/where.mp4')


@pytest.mark.parametrize(
    ('fail', 'reason'),
    [
        (damaged, 'Invalid data found'),
        (lambda: np.empty(1 << 50, np.uint8), 'memory is short'),
        (lambda: b'\xff'.decode(), 'invalid start byte'),
        (lambda: (10**30).to_bytes(4, 'big'), 'too big'),
        (lambda: 1 // 0, 'by zero'),
        (lambda: open('/nowhere/at/all'), 'No such file'),
    ],
)
def test_faults_of_decoders_are_told_with_file_and_reason(
    fail: Callable[[], object], reason: str
) -> None:
    with pytest.raises(MediaError, match=reason) as error, media_faults('film.mp4', 'is bad'):
        fail()
    assert error.value.path == 'film.mp4' and error.value.reason.startswith('is bad (')
    assert '/some/where' not in error.value.reason and error.value.__cause__ is not None


@pytest.mark.parametrize(
    'mistake', [TypeError, KeyError, IndexError, AttributeError, AssertionError]
)
def test_mistakes_in_code_and_interruptions_pass(mistake: type[Exception]) -> None:
    for kind in (mistake, KeyboardInterrupt):
        with pytest.raises(kind), media_faults('film.mp4', 'is bad'):
            raise kind


def test_a_media_error_keeps_its_own_reason() -> None:
    with pytest.raises(MediaError, match='^a: cut$'), media_faults('film.mp4', 'is bad'):
        raise MediaError('a', 'cut')


def test_what_films_have_is_let_through_and_more_is_refused() -> None:
    for size in ((7680, 4320), (2, 2), (1920, 64)):
        check_picture('a', *size)
    for size in ((100_000, 100_000), (16384, 16384), (0, 10), (16384, 16), (-1, 5)):
        with pytest.raises(MediaError, match=f'{size[0]}x{size[1]}'):
            check_picture('a', *size)
    check_room('a', 192, 1920, 1080)
    with pytest.raises(MediaError, match='192 frames of 7680x4320 take 17.8 GiB.+smaller'):
        check_room('a', 192, 7680, 4320)
    for rate, channels in ((8000, 1), (192_000, 24), (0, 0)):
        check_sound('a', rate, channels)
    for rate, channels in ((16000, 255), (1, 2), (2**31 - 1, 2)):
        with pytest.raises(MediaError, match=f'{channels} channels at {rate} Hz'):
            check_sound('a', rate, channels)
    check_seconds('a', 86400, 'the sound')
    for seconds in (1e9, float('inf'), float('nan'), 0.0, -3.0):
        with pytest.raises(MediaError, match='the sound lasts'):
            check_seconds('a', seconds, 'the sound')


def avi_of_raw_pictures(path: Path, width: int, height: int) -> Path:
    """Raw pictures of 4x2, with another size in all headers."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('rawvideo', rate=10)
        stream.width, stream.height, stream.pix_fmt = 4, 2, 'yuv420p'
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((2, 4, 3), np.uint8), format='rgb24')
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    content = path.read_bytes()
    assert content.count(struct.pack('<II', 4, 2)) >= 2
    path.write_bytes(content.replace(struct.pack('<II', 4, 2), struct.pack('<II', width, height)))
    return path


@pytest.mark.parametrize(
    ('size', 'reason'),
    [
        ((100_000, 100_000), 'no frame'),  # FFmpeg's own limit
        ((16000, 16000), 'pictures of 16000x16000 are refused'),
        ((65535, 1), 'pictures of 65535x1 are refused'),
    ],
)
def test_pictures_that_no_film_has_are_refused_before_memory_is_taken(
    tmp_path: Path, size: tuple[int, int], reason: str
) -> None:
    path = avi_of_raw_pictures(tmp_path / 'a.avi', *size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(MediaError, match=reason):
        VideoReader(str(path))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_more_pictures_than_memory_is_meant_for_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_video(tmp_path / 'a.mp4', np.zeros((20, 64, 64, 3), np.uint8), 10)
    monkeypatch.setattr('mart_mm.datasets.media.faults.MAX_BYTES', 10 * 64 * 64 * 3)
    with VideoReader(str(tmp_path / 'a.mp4')) as reader:
        assert len(reader.read([*range(10), 3, 4])) == 12  # each is decoded once
        with pytest.raises(MediaError, match='11 frames of 64x64'):
            reader.read(range(11))


def wav(path: Path, rate: int, channels: int) -> Path:
    """Some sound of 16 bits."""
    samples = np.zeros(4000 * channels, '<i2').tobytes()
    head = struct.pack('<HHIIHH', 1, channels, rate, rate * channels * 2 % 2**32, channels * 2, 16)
    body = b'WAVEfmt ' + struct.pack('<I', 16) + head + b'data' + struct.pack('<I', len(samples))
    path.write_bytes(b'RIFF' + struct.pack('<I', len(body) + len(samples)) + body + samples)
    return path


def test_sound_that_no_file_has_is_refused(tmp_path: Path) -> None:
    assert len(read_audio(str(wav(tmp_path / 'good.wav', 8000, 2)))) == pytest.approx(8000, abs=40)
    for rate, channels in ((8000, 255), (1, 1), (2**31 - 1, 1)):
        with pytest.raises(MediaError, match=f'{channels} channels at {rate} Hz'):
            read_audio(str(wav(tmp_path / 'bad.wav', rate, channels)))


def test_titles_that_are_no_text_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / 'a.mkv'
    with av.open(str(path), 'w') as container:
        container.metadata['title'] = 'Zuerich'
        stream = container.add_stream('libx264', rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 32, 'yuv420p'
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format='rgb24')
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert b'Zuerich' in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(b'Zuerich', b'Z\xfcr\xffich'))
    with open_media(path) as container:
        assert container.metadata['title'].startswith('Z')
    with VideoReader(str(path)) as reader:
        assert reader.num_frames == 1


def test_reasons_are_counted_by_kind() -> None:
    reasons = [
        'cannot be read as video (Invalid data)',
        'cannot be read as video (End of file)',
        'damaged: 3 of 4 wanted frames can be read',
        'frame 17 is damaged: run it again',
        'frame 1.5e+09 is damaged: run it again',
    ]
    assert sum_up(reasons) == '2 x cannot be read as video, 2 x frame # is damaged, 1 x damaged'
    assert sum_up([]) == ''
