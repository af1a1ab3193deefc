from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from mart_mm.datasets.media.audio_reader import read_audio
from mart_mm.datasets.media.backends import import_decord
from mart_mm.datasets.media.streams import find_audio_stream, find_video_stream
from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.errors import MediaError

RATE = 16000


def _mux(path, barcode, pictures=(), sounds=()):
    """Pictures: (offset of the bar codes, (width, height), flags); sounds: (tone, layout, rate, flags)."""
    with av.open(str(path), 'w') as container:
        streams = []
        for offset, (width, height), flags in pictures:
            stream = container.add_stream('libx264', rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, 'yuv420p'
            stream.disposition = _flags(flags)
            frames = barcode.draw(offset + 20, height, width)[offset:]
            streams.append(
                (stream, [av.VideoFrame.from_ndarray(f, format='rgb24') for f in frames])
            )
        for hertz, layout, rate, flags in sounds:
            stream = container.add_stream('flac', rate=rate, layout=layout)
            stream.disposition = _flags(flags)
            tone = np.sin(2 * np.pi * hertz * np.arange(rate) / rate) * 9000
            channels = av.AudioLayout(layout).nb_channels
            samples = np.repeat(tone.astype(np.int16), channels)[None]
            frame = av.AudioFrame.from_ndarray(samples, 's16', layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
            streams.append((stream, [frame]))
        for stream, frames in streams:
            for frame in [*frames, None]:
                container.mux(stream.encode(frame))
    return path


def _flags(names):
    flags = av.stream.Disposition(0)
    for name in names.split():
        flags |= av.stream.Disposition[name]
    return flags


SMALL, LARGE = (64, 48), (128, 96)


@pytest.mark.parametrize(
    ('pictures', 'chosen'),
    [
        ([(0, SMALL, ''), (100, LARGE, '')], 1),
        ([(0, LARGE, ''), (100, SMALL, '')], 0),
        ([(0, SMALL, ''), (100, SMALL, '')], 0),
        ([(0, SMALL, 'default'), (100, LARGE, '')], 0),
        ([(0, SMALL, 'default'), (100, LARGE, 'default')], 1),
        ([(0, LARGE, 'default visual_impaired'), (100, SMALL, '')], 1),
        ([(0, SMALL, ''), (50, SMALL, 'default'), (100, LARGE, '')], 1),
    ],
)
def test_choice_of_pictures(tmp_path, barcode, pictures, chosen):
    path = _mux(tmp_path / 'a.mkv', barcode, pictures)
    offset, size, _ = pictures[chosen]
    for backend in ('auto', 'pyav'):
        with VideoReader(path, backend) as reader:
            assert reader.size == size and reader.num_frames == 20
            wanted = [19, 2, 11]
            assert barcode.read(reader.read(wanted)) == [offset + index for index in wanted]
    if import_decord() is not None:  # it would choose by itself
        with pytest.raises(MediaError, match='decord is not exact'):
            VideoReader(path, 'decord')


@pytest.mark.parametrize(
    ('sounds', 'chosen'),
    [
        ([(500, 'mono', 16000, ''), (900, 'stereo', 16000, '')], 1),
        ([(500, 'stereo', 16000, ''), (900, 'mono', 48000, '')], 0),
        ([(500, 'mono', 16000, ''), (900, 'mono', 48000, '')], 1),
        ([(500, 'mono', 16000, ''), (900, 'mono', 16000, '')], 0),
        ([(500, 'mono', 16000, 'default'), (900, '5.1', 48000, '')], 0),
        ([(500, 'stereo', 16000, 'default comment'), (900, 'mono', 16000, '')], 1),
        ([(500, 'stereo', 48000, 'hearing_impaired'), (900, 'mono', 16000, '')], 1),
    ],
)
def test_choice_of_sound(tmp_path, barcode, sounds, chosen):
    path = _mux(tmp_path / 'a.mkv', barcode, [(0, SMALL, '')], sounds)
    waveform = read_audio(path, RATE)
    assert len(waveform) == pytest.approx(RATE, abs=100)
    spectrum = np.abs(np.fft.rfft(waveform[:RATE], RATE))
    assert spectrum.argmax() == sounds[chosen][0]  # Hz


def test_cover_pictures_are_no_film(tmp_path, barcode):
    path = _mux(tmp_path / 'source.mp4', barcode, [(0, SMALL, '')], [(500, 'mono', 16000, '')])
    cover = av.VideoFrame.from_ndarray(barcode.draw(1, 480, 640)[0], format='rgb24')
    for name, kinds in (('film.mp4', ('video', 'audio')), ('sound.mp4', ('audio',))):
        with av.open(str(path)) as old, av.open(str(tmp_path / name), 'w') as new:
            copies = {
                stream.index: new.add_stream_from_template(stream)
                for stream in old.streams
                if stream.type in kinds
            }
            picture = new.add_stream('mjpeg', rate=1)
            picture.width, picture.height, picture.pix_fmt = 640, 480, 'yuvj420p'
            picture.disposition = av.stream.Disposition.attached_pic
            for packet in old.demux():
                if packet.size and packet.stream_index in copies:
                    packet.stream = copies[packet.stream_index]
                    new.mux(packet)
            new.mux(picture.encode(cover.reformat(format='yuvj420p')))
            new.mux(picture.encode())
        with av.open(str(tmp_path / name)) as container:
            assert len(container.streams.video) == len(kinds)
    assert VideoReader(tmp_path / 'film.mp4').size == SMALL
    with pytest.raises(MediaError, match='no video stream'):
        VideoReader(tmp_path / 'sound.mp4')
    assert len(read_audio(tmp_path / 'sound.mp4')) == pytest.approx(RATE, abs=100)


def test_real_file_with_two_films(shared_data):
    """320x180 at 25 frames per second with sound of 8 kHz, and 480x270 at 29.97 with 16 kHz."""
    path = shared_data / 'media' / 'nasa_13013.mp4'
    for backend in ('auto', 'pyav'):
        with VideoReader(path, backend) as reader:
            assert reader.size == (480, 270) and reader.num_frames == 390
            assert reader.fps == pytest.approx(30000 / 1001, abs=0.01)
    power = np.abs(np.fft.rfft(read_audio(path, 16000))) ** 2
    above_4_khz = power[len(power) // 2 :].sum() / power.sum()
    assert above_4_khz > 1e-4  # sound of 8 kHz has nothing there
    with av.open(str(path)) as container:
        assert find_video_stream(container).index == 3
        assert find_audio_stream(container).index == 4
    if import_decord() is not None:
        with pytest.raises(MediaError, match='decord is not exact'):
            VideoReader(path, 'decord')


def test_no_stream(tmp_path, barcode):
    _mux(tmp_path / 'film.mkv', barcode, [(0, SMALL, '')])
    _mux(tmp_path / 'sound.mkv', barcode, [], [(500, 'mono', 16000, '')])
    with av.open(str(tmp_path / 'film.mkv')) as container:
        assert find_audio_stream(container) is None
    with av.open(str(tmp_path / 'sound.mkv')) as container:
        assert find_video_stream(container) is None
