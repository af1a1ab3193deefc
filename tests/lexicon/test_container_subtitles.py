from __future__ import annotations

import pickle
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mart_mm.errors import MediaError
from mart_mm.lexicon.container_subtitles import (
    choose_text_stream,
    packet_text,
    read_container_subtitles,
    short_code,
)
from mart_mm.lexicon.transcript import TranscriptError, TranscriptLine

HEADER = (
    b'[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name\nStyle: Default\n\n[Events]\n'
    b'Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n'
)
FLAGS = av.stream.Disposition
Cue = tuple[float, float | None, str]  # start, end (None: not stored), text
CUES: list[Cue] = [(0.5, 1.25, 'Hello'), (1.5, 2.5, 'Déjà vu,\nlove!'), (3.0, 3.5, 'Bye')]
SAID = [(0.5, 1.25, 'Hello'), (1.5, 2.5, 'Déjà vu, love!'), (3.0, 3.5, 'Bye')]
KINDS = [
    ('mp4', 'mov_text'),
    ('mkv', 'subrip'),
    ('mkv', 'ass'),
    ('mkv', 'webvtt'),
    ('webm', 'webvtt'),
]
KINDS += [('mkv', 'text'), ('mov', 'mov_text')]


def encode(codec: str, text: str) -> bytes:
    content = text.encode()
    if codec == 'mov_text':  # a style box behind the text is no part of it
        return len(content).to_bytes(2, 'big') + content + bytes([0, 0, 0, 10]) + b'hlit\0\0\0\1'
    if codec == 'ass':
        return b'0,0,Default,,0,0,0,,' + content.replace(b'\n', b'\\N')
    return content


def write(
    path: Path,
    codec: str,
    cues: Sequence[Cue] = CUES,
    *,
    delay: float = 0.0,
    more: Sequence[tuple[str | None, int, Sequence[Cue]]] = (),
    language: str | None = None,
    flags: int = 0,
    video: bool = True,
) -> Path:
    """A file of 4 s whose first frame is shown at ``delay``, with one text stream or several."""
    with av.open(str(path), 'w') as container:
        if video:
            picture = container.add_stream(
                'libvpx' if path.suffix == '.webm' else 'libx264', rate=10
            )
            picture.width = picture.height = 32
            picture.pix_fmt = 'yuv420p'
        else:
            picture = container.add_stream('aac', rate=16000, layout='mono')
        streams = []
        for tongue, disposition, _ in [(language, flags, ()), *more]:
            stream = container.add_stream(codec)
            stream.codec_context.time_base = Fraction(1, 1000)
            stream.codec_context.subtitle_header = HEADER
            stream.disposition = disposition
            if tongue:
                stream.metadata['language'] = tongue
            streams.append(stream)
        for number in range(40 if video else 63):
            if video:
                frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format='rgb24')
                frame.pts, frame.time_base = number + round(delay * 10), Fraction(1, 10)
            else:
                silence = np.zeros((1, 1024), np.float32)
                frame = av.AudioFrame.from_ndarray(silence, format='fltp', layout='mono')
                frame.sample_rate, frame.time_base = 16000, Fraction(1, 16000)
                frame.pts = number * 1024
            container.mux(picture.encode(frame))
        container.mux(picture.encode())
        for stream, said in zip(streams, [cues, *(item[2] for item in more)], strict=True):
            for start, end, text in said:
                packet = av.Packet(encode(codec, text))
                packet.stream, packet.time_base = stream, Fraction(1, 1000)
                packet.pts = packet.dts = round((start + delay) * 1000)
                packet.duration = 0 if end is None else round((end - start) * 1000)
                container.mux(packet)
    return path


def rounded(lines: Sequence[TranscriptLine]) -> list[tuple[float, float, str]]:
    return [(round(line.start, 3), round(line.end, 3), line.text) for line in lines]


@pytest.mark.parametrize(('suffix', 'codec'), KINDS)
@pytest.mark.parametrize('delay', [0.0, 1.5])
def test_written_and_read_again(tmp_path: Path, suffix: str, codec: str, delay: float) -> None:
    """Times count from the first frame, wherever the container's clock starts."""
    path = write(tmp_path / f'a.{suffix}', codec, delay=delay)
    assert rounded(read_container_subtitles(path)) == SAID


def test_real_file_against_its_packets(shared_data: Path) -> None:
    path = shared_data / 'media/nasa_13013.mp4'
    expected = []
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.subtitles[0]):
            if packet.size > 2:  # the first one shows nothing for 0.21 s
                start = packet.pts * packet.time_base
                text = bytes(packet)[2:].decode()
                expected.append(
                    (float(start), float(start + packet.duration * packet.time_base), text)
                )
    lines = read_container_subtitles(path)
    assert [line[2] for line in lines] == [text for *_, text in expected]
    assert np.allclose([line[:2] for line in lines], [times[:2] for times in expected])
    assert rounded(lines)[0] == (
        0.21,
        4.26,
        'NAR: This is the optical and science segment of the Webb',
    )
    assert len(lines) == 4


@pytest.mark.parametrize(
    'name', ['demo.mp4', 'flipping_a_pancake.mkv', 'big_buck_bunny_432_433.webm', 'jfk.flac']
)
def test_real_files_without_subtitles(shared_data: Path, name: str) -> None:
    assert read_container_subtitles(shared_data / 'media' / name) == []


def test_which_stream_is_taken(tmp_path: Path) -> None:
    def said(text: str) -> list[Cue]:
        return [(0.5, 1.0, text)]

    path = write(
        tmp_path / 'a.mkv', 'subrip', said('first'), language='eng',
        more=[('ger', FLAGS.default, said('second')), ('fre', FLAGS.default, said('third'))]
        + [('ger', FLAGS.forced | FLAGS.default, said('fourth'))],
    )  # fmt: skip
    for language, text in [
        (None, 'second'), ('de', 'second'), ('deu', 'second'), ('ger', 'second'), ('fr', 'third'),
        ('en-US', 'first'), ('ENG', 'first'), ('ja', 'second'),
    ]:  # fmt: skip
        assert rounded(read_container_subtitles(path, language)) == [(0.5, 1.0, text)], language

    path = write(
        tmp_path / 'c.mkv', 'subrip', said('only foreign'), flags=FLAGS.forced | FLAGS.default,
        more=[(None, 0, said('all'))],
    )  # fmt: skip
    assert rounded(read_container_subtitles(path)) == [(0.5, 1.0, 'all')]

    path = write(tmp_path / 'b.mkv', 'subrip', said('first'), more=[(None, 0, said('second'))])
    assert rounded(read_container_subtitles(path)) == [(0.5, 1.0, 'first')]


def test_a_stream_of_pictures_is_none_of_text(tmp_path: Path) -> None:
    path = tmp_path / 'a.mkv'
    with av.open(str(path), 'w') as container:
        stream = container.add_mux_stream('dvd_subtitle')
        stream.time_base = Fraction(1, 1000)
        packet = av.Packet(b'\0\6abcd')
        packet.stream, packet.time_base = stream, Fraction(1, 1000)
        packet.pts = packet.dts = packet.duration = 100
        container.mux(packet)
    with av.open(str(path)) as container:
        assert container.streams.subtitles[0].codec_context.name == 'dvdsub'
        assert choose_text_stream(container) is None
    assert read_container_subtitles(path) == []


def test_durations_that_are_not_stored(tmp_path: Path) -> None:
    cues = [(0.5, None, 'until the next'), (1.5, 2.0, 'known'), (3.0, None, 'until the end')]
    path = write(tmp_path / 'a.mkv', 'subrip', cues, delay=1.0)
    assert rounded(read_container_subtitles(path)) == [
        (0.5, 1.5, 'until the next'),
        (1.5, 2.0, 'known'),
        (3.0, 4.0, 'until the end'),
    ]


def test_lines_before_the_first_frame(tmp_path: Path) -> None:
    cues = [(-0.9, -0.5, 'gone'), (-0.5, 0.5, 'cut'), (1.0, 2.0, 'whole')]
    path = write(tmp_path / 'a.mkv', 'subrip', cues, delay=1.0)
    assert rounded(read_container_subtitles(path)) == [(0.0, 0.5, 'cut'), (1.0, 2.0, 'whole')]


def test_file_without_video(tmp_path: Path) -> None:
    path = write(tmp_path / 'a.mkv', 'subrip', CUES, video=False)
    starts = [line.start for line in read_container_subtitles(path)]
    assert starts == pytest.approx([0.5, 1.5, 3.0], abs=0.07)  # an AAC frame of priming at most


def test_stream_without_a_line(tmp_path: Path) -> None:
    path = write(tmp_path / 'a.mp4', 'mov_text', [(0.5, 1.0, ''), (1.0, 2.0, ' ')])
    with pytest.raises(TranscriptError, match=r'subtitle stream 1 \(mov_text\)') as error:
        read_container_subtitles(path)
    assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)


@pytest.mark.parametrize(
    ('codec', 'content', 'text'),
    [
        ('mov_text', b'\0\5hello\0\0\0\x0cstyl\0\0\0\0', 'hello'),
        ('mov_text', b'\0\x0c' + 'hello'.encode('utf-16'), 'hello'),
        ('mov_text', b'\0\0', ''),
        ('mov_text', b'\0', ''),
        ('mov_text', b'\xff\xffshort', 'short'),
        ('subrip', b'<i>Tom &amp; {\\an8}Ann</i>', 'Tom & Ann'),
        ('subrip', 'Déjà'.encode('cp1252'), 'Déjà'),
        ('webvtt', b'<v Bob>Hi</v> <00:00:01.500>you', 'Hi you'),
        ('ass', b'3,0,Default,,0,0,0,,{\\b1}One\\Ntwo, three', 'One two, three'),
        ('ass', b'3,0,Default,,0,0,0,,{\\p1}m 0 0 l 1 1{\\p0}', ''),
        ('text', b' a\n b ', 'a b'),
    ],
)
def test_packets(codec: str, content: bytes, text: str) -> None:
    assert packet_text(content, codec) == text


@pytest.mark.parametrize(
    ('language', 'code'),
    [('deu', 'de'), ('ger', 'de'), ('DE', 'de'), ('pt_BR', 'pt'), ('zho', 'zh'), ('und', 'und')]
    + [('', ''), ('fre', 'fr'), ('per', 'fa'), ('cym', 'cy'), ('qaa', 'qaa')],
)
def test_language_codes(language: str, code: str) -> None:
    assert short_code(language) == code


def test_unreadable_files(tmp_path: Path) -> None:
    (tmp_path / 'a.mp4').write_bytes(b'no video')
    for name in ('a.mp4', 'none.mp4', ''):
        with pytest.raises(MediaError, match='cannot be opened'):
            read_container_subtitles(tmp_path / name)


@pytest.fixture(scope='module', params=[('mp4', 'mov_text'), ('mkv', 'ass')])
def whole_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    suffix, codec = request.param
    return write(tmp_path_factory.mktemp('fuzz') / f'a.{suffix}', codec).read_bytes()


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_damage_raises_anything_else(
    whole_file: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(whole_file)
    for _ in range(data.draw(st.integers(1, 12))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(len(content) // 2, len(content)))
    path = tmp_path_factory.getbasetemp() / 'damaged.mp4'
    path.write_bytes(content[:cut])
    try:
        lines = read_container_subtitles(path, data.draw(st.sampled_from([None, 'en'])))
    except (MediaError, TranscriptError):
        return
    assert all(0 <= line.start < line.end and line.text for line in lines)
