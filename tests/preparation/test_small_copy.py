from __future__ import annotations

import av
import numpy as np
import pytest

from mart_mm.datasets.media.audio_reader import read_audio
from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.errors import MediaError
from mart_mm.preparation.small_copy import write_small_copy
from mart_mm.utils.media_writer import write_video

RATE = 16000


def test_variable_rate_is_kept(tmp_path, tape):
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.09, 60))
    source, target = tmp_path / 'a.mp4', tmp_path / 'b.mp4'
    write_video(source, tape.draw(60, 2), 25, tape.chirp(3.0, RATE), RATE, times, gop=60)
    write_small_copy(source, target, 32, 8)
    with av.open(str(target)) as container:
        video, audio = container.streams
        assert (video.codec_context.name, audio.codec_context.name) == ('h264', 'aac')
        packets = [packet for packet in container.demux(video) if packet.size]
        base = video.time_base  # not to be asked of a closed file
    stamps = sorted(packet.pts for packet in packets)
    np.testing.assert_allclose(
        [float(stamp * base) for stamp in stamps], times - times[0], atol=2e-5
    )
    keys = sorted(stamps.index(packet.pts) for packet in packets if packet.is_keyframe)
    assert keys == list(range(0, 60, 8))
    reader = VideoReader(target)
    assert reader.size == (64, 32) and reader.num_frames == 60
    assert reader.duration == pytest.approx(VideoReader(source).duration, abs=1e-3)
    assert tape.indices(reader.read(range(60))) == list(range(60))
    # AAC stays as it is: the same samples
    np.testing.assert_array_equal(read_audio(source), read_audio(target))


KINDS = {
    'divx.avi': dict(video='mpeg4', audio='pcm_s16le', options={'bf': '2'}),
    'h264.avi': dict(audio='libmp3lame'),  # no presentation times in the file
    'pcm.avi': dict(video='mpeg4', audio='pcm_s16le', layout='mono', rate=11127),
    'late.mkv': dict(audio='libmp3lame', delay=0.5),
    'gap.mkv': dict(audio='libopus', gap=(0.6, 1.2)),
    'gap.mp4': dict(audio='aac', gap=(0.6, 1.2), delay=0.2),
    'surround.mkv': dict(audio='ac3', layout='5.1(side)'),
    'open.mkv': dict(audio='flac', options={'x264-params': 'open-gop=1:keyint=12:bframes=2'}),
    'broadcast.ts': dict(video='mpeg2video', audio='mp2'),
    'windows.wmv': dict(video='wmv2', audio='libmp3lame', rate=44100),
    'silent.mp4': {},
}


@pytest.mark.parametrize('name', KINDS)
def test_any_kind_of_file(tmp_path, tape, name):
    options = KINDS[name]
    source, target = tape.write(tmp_path / name, **options), tmp_path / 'copy.mp4'
    write_small_copy(source, target, 32, 12)
    before, after = VideoReader(source, 'pyav', size=32), VideoReader(target)
    assert after.num_frames == before.num_frames == 50
    np.testing.assert_allclose(after.times, before.times, atol=1e-4)
    assert tape.indices(after.read(range(50))) == list(range(50))
    difference = before.read([0, 21, 49]).astype(float) - after.read([0, 21, 49])
    assert np.abs(difference).mean() < 8 and np.abs(difference.mean((0, 1, 2))).max() < 3
    if 'audio' not in options:
        assert read_audio(target) is None
        return
    old, new = read_audio(source), read_audio(target)
    assert abs(len(old) - len(new)) <= RATE * 1152 / options.get('rate', 48000)
    length = min(len(old), len(new))
    # the pitch rises, so any delay of more than a sample shows
    assert np.corrcoef(old[:length], new[:length])[0, 1] > 0.98


@pytest.mark.parametrize(('pixels', 'space'), [('yuv420p', 1), ('yuv420p', 5), ('yuvj420p', 5)])
def test_colours_are_kept(tmp_path, pixels, space):
    """Of HD (BT.709), of SD and of full range; a wrong guess shifts these by 7 on average."""
    down, right = np.mgrid[:64, :96]
    picture = np.stack([right * 2.6, down * 3.9, 255 - right * 2.6], -1).astype(np.uint8)
    with av.open(str(tmp_path / 'a.mp4'), 'w') as container:
        stream = container.add_stream('libx264', rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, pixels
        stream.codec_context.colorspace, stream.options = space, {'crf': '5'}
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(picture, format='rgb24')
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    write_small_copy(tmp_path / 'a.mp4', tmp_path / 'b.mp4', 32, 12)
    before, after = (
        VideoReader(tmp_path / 'a.mp4', 'pyav', size=32),
        VideoReader(tmp_path / 'b.mp4'),
    )
    difference = before.read([2])[0].astype(float) - after.read([2])[0]
    assert np.abs(difference).mean() < 4


@pytest.mark.parametrize('rotation', [90, 180, 270])
def test_rotated_pictures_stand_upright(tmp_path, tape, rotation):
    source = tape.write(tmp_path / 'a.mp4', 20, rotation=rotation)
    write_small_copy(source, tmp_path / 'b.mp4', 40, 12)
    before, after = VideoReader(source, size=40), VideoReader(tmp_path / 'b.mp4', 'decord')
    assert before.size == after.size == ((40, 80) if rotation != 180 else (80, 40))
    difference = before.read(range(20)).astype(float) - after.read(range(20))
    assert np.abs(difference).mean() < 8


def test_all_sound_and_no_enlarging(tmp_path, tape, shared_data):
    source = shared_data / 'media' / 'nasa_13013.mp4'
    write_small_copy(source, tmp_path / 'a.mp4', 10_000, 12)
    assert VideoReader(tmp_path / 'a.mp4').size == VideoReader(source).size
    with av.open(str(source)) as old, av.open(str(tmp_path / 'a.mp4')) as new:
        assert len(new.streams.audio) == len(old.streams.audio) == 2
        assert len(new.streams.video) == 1


def test_damage_is_told(tmp_path, tape):
    source = tape.write(tmp_path / 'a.mp4', 50, options={'bf': '0'})
    with av.open(str(source)) as container:
        places = sorted(p.pos for p in container.demux(video=0) if p.size)
    content = bytearray(source.read_bytes())
    content[places[35] : places[-1]] = bytes(places[-1] - places[35])
    (tmp_path / 'holed.mp4').write_bytes(content)
    (tmp_path / 'cut.mp4').write_bytes(source.read_bytes()[: places[20]])
    (tmp_path / 'text.mp4').write_text('not a video')
    for name, reason in (
        ('holed.mp4', r'damaged: \d+ of 50 frames can be decoded'),
        ('cut.mp4', 'cannot be read as video'),
        ('text.mp4', 'cannot be read as video'),
    ):
        with pytest.raises(MediaError, match=reason) as caught:
            write_small_copy(tmp_path / name, tmp_path / 'b.mp4', 32, 12)
        assert caught.value.path.endswith(name)


@pytest.mark.parametrize('flags', [('', ''), ('default', ''), ('', 'default')])
def test_the_sound_that_was_chosen_stays_chosen(tmp_path, tape, flags):
    """Of two tones in one file the copy's readers hear the one that the source's hear."""
    source, target = tmp_path / 'two.mkv', tmp_path / 'copy.mp4'
    with av.open(str(source), 'w') as container:
        video = container.add_stream('libx264', rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, 'yuv420p'
        sounds = []
        # the second has more channels, so that it is chosen where no flag says otherwise
        for layout, flag in zip(('mono', 'stereo'), flags, strict=True):
            stream = container.add_stream('flac', rate=RATE, layout=layout)
            stream.disposition = av.stream.Disposition[flag] if flag else 0
            sounds.append(stream)
        for picture in np.random.default_rng(0).integers(0, 255, (25, 48, 64, 3), np.uint8):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format='rgb24')))
        container.mux(video.encode())
        for stream, hertz in zip(sounds, (400, 2000), strict=True):
            tone = 9000 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)
            samples = np.repeat(tone.astype(np.int16), stream.layout.nb_channels)[None]
            frame = av.AudioFrame.from_ndarray(samples, 's16', stream.layout.name)
            frame.sample_rate, frame.pts = RATE, 0
            container.mux(stream.encode(frame))
            container.mux(stream.encode())
    write_small_copy(source, target, 32, 12)
    heard = [np.abs(np.fft.rfft(read_audio(path)[:RATE])).argmax() for path in (source, target)]
    assert heard[0] == pytest.approx(heard[1], abs=3)
    assert heard[0] == pytest.approx(400 if flags[0] else 2000, abs=3)
