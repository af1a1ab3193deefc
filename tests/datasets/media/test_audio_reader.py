from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from mart_mm.datasets.media.audio_reader import read_audio
from mart_mm.errors import MediaError
from mart_mm.utils.media_writer import write_video

RATE, FPS = 16000, 20


def _clicks(seconds: float, *times: float) -> np.ndarray:
    waveform = np.zeros(round(seconds * RATE), dtype=np.float32)
    for time in times:
        waveform[round(time * RATE) : round(time * RATE) + 8] = 0.9
    return waveform


def _found(waveform: np.ndarray) -> list[float]:
    """Times of clicks, at least 0.1 s apart."""
    loud = np.flatnonzero(np.abs(waveform) > 0.25)
    return [
        loud[i] / RATE for i in range(len(loud)) if i == 0 or loud[i] - loud[i - 1] > 0.1 * RATE
    ]


def _pictures(count: int) -> np.ndarray:
    return np.zeros((count, 16, 16, 3), dtype=np.uint8)


@pytest.mark.parametrize('suffix', ['mp4', 'mkv'])
@pytest.mark.parametrize('start', [0.0, 0.5])
def test_sample_0_is_at_the_first_frame(tmp_path, suffix, start):
    times = (start + np.arange(60) / FPS).tolist()
    sound = _clicks(3.5, 0.2, 1.0, 3.2)
    write_video(tmp_path / f'a.{suffix}', _pictures(60), FPS, audio=sound, times=times)
    waveform = read_audio(tmp_path / f'a.{suffix}')
    assert waveform.dtype == np.float32 and waveform.ndim == 1
    expected = [time - start for time in (0.2, 1.0, 3.2) if time >= start]
    assert _found(waveform) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize('source_rate', [8000, 44100, 48000])
def test_resampling(tmp_path, source_rate):
    time = np.arange(2 * source_rate) / source_rate
    sound = (0.5 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)
    write_video(tmp_path / 'a.mp4', _pictures(40), FPS, audio=sound, sample_rate=source_rate)
    waveform = read_audio(tmp_path / 'a.mp4')
    assert len(waveform) == pytest.approx(2 * RATE, abs=0.1 * RATE)
    middle = waveform[RATE // 2 : 3 * RATE // 2]
    assert np.abs(np.fft.rfft(middle)).argmax() == 1000  # Hz, one second long
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.03)


def _write_sound(path, pieces, layout='mono', rate=RATE, codec='pcm_s16le'):
    """Sound alone; each piece is (start in seconds, (channels, samples) in [-1, 1])."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        stream.time_base = Fraction(1, rate)
        for start, samples in pieces:
            for at in range(0, samples.shape[1], 1024):
                part = (samples[:, at : at + 1024] * 32767).astype(np.int16)
                part = np.ascontiguousarray(part.T.reshape(1, -1))
                frame = av.AudioFrame.from_ndarray(part, 's16', layout)
                frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
                frame.pts = round(start * rate) + at
                container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_channels_are_averaged(tmp_path):
    """FFmpeg's own mixing would return 1.41 times what is in both channels."""
    left, right = np.full(RATE, 0.5), np.full(RATE, 0.1)
    _write_sound(tmp_path / 'a.wav', [(0.0, np.stack([left, right]))], 'stereo')
    np.testing.assert_allclose(read_audio(tmp_path / 'a.wav')[100:-100], 0.3, atol=1e-3)


def test_a_gap_in_the_track_stays_a_gap(tmp_path):
    tone = np.full((1, RATE), 0.5)
    _write_sound(tmp_path / 'a.mkv', [(0.0, tone), (2.5, tone)])
    waveform = read_audio(tmp_path / 'a.mkv')
    assert len(waveform) == pytest.approx(3.5 * RATE, abs=40)
    edge = 0.01
    for start, stop, level in ((0, 1, 0.5), (1, 2.5, 0.0), (2.5, 3.5, 0.5)):
        inside = waveform[round((start + edge) * RATE) : round((stop - edge) * RATE)]
        np.testing.assert_allclose(inside, level, atol=0.01)


def test_a_file_without_video_starts_at_its_first_sample(tmp_path):
    _write_sound(tmp_path / 'a.mkv', [(1.5, _clicks(1, 0.25)[None])])
    assert _found(read_audio(tmp_path / 'a.mkv')) == pytest.approx([0.25], abs=0.01)


def test_speech(shared_data):
    waveform = read_audio(shared_data / 'media' / 'jfk.flac')
    assert len(waveform) == 11 * RATE
    assert 0.3 < np.abs(waveform).max() <= 1


@pytest.mark.parametrize('name', ['nasa_13013.mp4', 'chaplin.mp4', 'single_face.mp4'])
def test_real_tracks_last_as_long_as_their_containers(shared_data, name):
    path = shared_data / 'media' / name
    with av.open(str(path)) as container:
        seconds = container.duration / av.time_base
    waveform = read_audio(path)
    assert len(waveform) / RATE == pytest.approx(seconds, abs=0.2)
    assert np.abs(waveform).max() > 1e-3


def test_no_sound(tmp_path, shared_data):
    assert read_audio(shared_data / 'media' / 'demo.mp4') is None
    write_video(tmp_path / 'silent.mp4', _pictures(5), FPS)
    assert read_audio(tmp_path / 'silent.mp4') is None


def test_a_damaged_stretch_is_silence_and_the_rest_in_place(tmp_path):
    path = tmp_path / 'a.mp4'
    noise = np.random.default_rng(0).standard_normal(4 * RATE).astype(np.float32) * 0.01
    write_video(path, _pictures(80), FPS, audio=noise + _clicks(4, 0.5, 3.5))
    with av.open(str(path)) as container:
        packets = [
            (p.pos, p.size, float(p.pts * p.time_base)) for p in container.demux(audio=0) if p.size
        ]
    content = bytearray(path.read_bytes())
    for position, size, time in packets:
        if 1.5 < time < 2.5:
            content[position : position + size] = b'\xff' * size
    path.write_bytes(content)
    waveform = read_audio(path)
    found = _found(waveform)
    assert found[0] == pytest.approx(0.5, abs=0.01) and found[-1] == pytest.approx(3.5, abs=0.01)
    assert len(waveform) == pytest.approx(4 * RATE, abs=0.1 * RATE)


def test_files_that_cannot_be_opened(tmp_path):
    (tmp_path / 'empty.mp4').touch()
    (tmp_path / 'text.mp4').write_text('a text, no sound\n' * 50)
    for name in ('empty.mp4', 'text.mp4', 'absent.mp4'):
        with pytest.raises(MediaError, match='cannot be opened') as caught:
            read_audio(tmp_path / name)
        assert caught.value.path == str(tmp_path / name)
