from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mart_mm.datasets.transforms.transcript import LoadTranscript
from mart_mm.lexicon.transcript import SUFFIXES, TimedWord, TranscriptLine, word_times
from mart_mm.transcription.results import Transcription, file_identity, write_result
from mart_mm.transcription.segments import SpeechSegment, SpeechWord

SRT = '1\n00:00:01,000 --> 00:00:02,000\nI love you\n'


def load(video: Path, options: dict | None = None, **record: object) -> dict:
    return LoadTranscript(**(options or {}))(dict(video_path=str(video), **record))


def recognise(video: Path, text: str = 'heard by a machine') -> Path:
    """The result of speech recognition beside a video."""
    words = (SpeechWord(text.split()[0], 5.1, 5.3, 0.9),)
    segment = SpeechSegment(5.0, 6.0, text, 0.1, -0.2, 1.1, words)
    return write_result(video, Transcription({}, file_identity(video), 'en', True, (segment,)))


def test_sidecar_beside_the_video(tmp_path: Path) -> None:
    (tmp_path / 'a.b.srt').write_text(SRT)
    results = load(tmp_path / 'a.b.mp4')
    assert results['transcript'] == [TranscriptLine(1.0, 2.0, 'I love you')]
    assert results['has_text'] is True and results['warnings'] == []
    assert results['transcript_source'] == 'sidecar'


def test_given_transcript_comes_first(tmp_path: Path) -> None:
    (tmp_path / 'video.srt').write_text(SRT)
    (tmp_path / 'other.vtt').write_text('WEBVTT\n\n00:03.000 --> 00:04.000\nother\n')
    for given_path in ('other', 'other.vtt'):  # without and with its suffix
        results = load(tmp_path / 'video.mp4', transcript_path=str(tmp_path / given_path))
        assert results['transcript'] == [TranscriptLine(3.0, 4.0, 'other')]
    results = load(tmp_path / 'video.mp4', transcript_path=str(tmp_path / 'none'))
    assert results['transcript'] == [TranscriptLine(1.0, 2.0, 'I love you')]
    results = load(tmp_path / 'video.mp4', transcript_path=None)
    assert results['has_text']


def test_absent_transcript_is_no_warning(tmp_path: Path) -> None:
    results = load(tmp_path / 'a.mp4', transcript_path=str(tmp_path / 'none'))
    assert (results['transcript'], results['has_text'], results['warnings']) == ([], False, [])
    assert results['transcript_source'] is None


@pytest.mark.parametrize('content', [b'', b'no subtitle', bytes(range(256)) * 4])
def test_garbled_transcript_is_absent_with_a_warning(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'a.srt').write_bytes(content)
    results = load(tmp_path / 'a.mp4', warnings=['earlier'])
    assert results['transcript'] == [] and results['has_text'] is False
    assert results['warnings'][0] == 'earlier'
    assert len(results['warnings']) == 2 and 'a.srt' in results['warnings'][1]


@pytest.fixture
def all_sources(tmp_path: Path, shared_data: Path) -> dict:
    """A record whose transcript each source knows, another one each."""
    video = tmp_path / 'video.mp4'
    shutil.copyfile(shared_data / 'media/nasa_13013.mp4', video)
    (tmp_path / 'video.srt').write_text(SRT)
    recognise(video)
    return dict(video_path=str(video), lines=[(7.0, 8.0, 'given')])


FIRST = dict(
    annotation=(7.0, 8.0, 'given'),
    sidecar=(1.0, 2.0, 'I love you'),
    container=(0.21, 4.26, 'NAR: This is the optical and science segment of the Webb'),
    speech=(5.0, 6.0, 'heard by a machine'),
)


def test_order_of_sources(all_sources: dict, tmp_path: Path) -> None:
    """What comes first is used alone; when it is taken away, the next is."""

    def check(source: str) -> None:
        results = LoadTranscript()(dict(all_sources))
        assert results['transcript_source'] == source and results['warnings'] == []
        assert results['transcript'][0][:3] == FIRST[source]
        assert len(results['transcript']) == (4 if source == 'container' else 1)

    check('annotation')
    del all_sources['lines']
    check('sidecar')
    (tmp_path / 'video.srt').unlink()
    check('container')
    (tmp_path / 'video.mp4').write_bytes(b'')
    results = LoadTranscript()(dict(all_sources))
    assert results['transcript'][0][:3] == FIRST['speech']
    assert results['transcript_source'] == 'speech'
    assert len(results['warnings']) == 1 and 'video.mp4' in results['warnings'][0]


@pytest.mark.parametrize('source', FIRST)
def test_sources_asked_for(all_sources: dict, source: str) -> None:
    results = LoadTranscript(sources=[source])(dict(all_sources))
    assert results['transcript'][0][:3] == FIRST[source]
    others = [other for other in FIRST if other != source]
    results = LoadTranscript(sources=[source, *others])(dict(all_sources))
    assert results['transcript_source'] == source


def test_unknown_source() -> None:
    with pytest.raises(ValueError, match="'sidecar'"):
        LoadTranscript(sources=('sidecars',))


def test_language_is_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        'mart_mm.datasets.transforms.transcript.read_container_subtitles',
        lambda path, language: asked.append(language) or [],
    )
    (tmp_path / 'a.mp4').touch()
    load(tmp_path / 'a.mp4', dict(language='de'))
    assert asked == ['de']


def test_speech_is_no_sidecar(tmp_path: Path) -> None:
    video = tmp_path / 'a.mkv'
    video.write_bytes(b'')
    path = recognise(video)
    options = dict(sources=('sidecar', 'speech'))
    results = load(video, options, transcript_path=str(tmp_path / 'a'))
    assert results['transcript_source'] == 'speech'
    line = results['transcript'][0]
    assert line.words == (TimedWord('heard', 5.1, 5.3, (0, 5)),) and word_times(line) == [
        *line.words
    ]
    (tmp_path / 'a.srt').write_text(SRT)
    assert load(video, options)['transcript_source'] == 'sidecar'
    (tmp_path / 'a.srt').unlink()
    path.write_text('{')
    results = load(video, options)
    assert results['transcript_source'] is None and 'a.asr.json' in results['warnings'][0]


def test_annotation(tmp_path: Path) -> None:
    lines = [(3, 4, ' b\n c '), (-1, 2, 'a'), (5, 5, 'no length'), (6, 7, ' ')]
    results = load(tmp_path / 'a.mp4', lines=lines)
    assert [line[:3] for line in results['transcript']] == [(0.0, 2.0, 'a'), (3.0, 4.0, 'b c')]
    assert results['warnings'] == []
    broken = [(1, 2), (1, 'x', 'text'), None, (1, 2, None), (8, 9, 'good')]
    results = load(tmp_path / 'a.mp4', lines=broken, video_id='v7')
    assert [line[:3] for line in results['transcript']] == [(8.0, 9.0, 'good')]
    assert len(results['warnings']) == 4 and all('v7: lines' in w for w in results['warnings'])


def test_second_sidecar_stands_in_for_a_garbled_one(tmp_path: Path) -> None:
    (tmp_path / 'a.srt').write_bytes(b'no subtitle')
    (tmp_path / 'a.vtt').write_text('WEBVTT\n\n00:03.000 --> 00:04.000\nother\n')
    results = load(tmp_path / 'a.mp4', transcript_path=str(tmp_path / 'a'))
    assert results['transcript'] == [TranscriptLine(3.0, 4.0, 'other')]
    assert len(results['warnings']) == 1 and 'a.srt' in results['warnings'][0]


def test_folder_of_pictures_and_no_video(tmp_path: Path, shared_data: Path) -> None:
    pictures, sound = tmp_path / 'cropped/clip', tmp_path / 'videos/clip.mp4'
    pictures.mkdir(parents=True)
    sound.parent.mkdir()
    shutil.copyfile(shared_data / 'media/nasa_13013.mp4', sound)
    results = load(pictures, audio_path=str(sound))
    assert results['transcript_source'] == 'container' and len(results['transcript']) == 4
    results = LoadTranscript()(dict(video_id='a', features=dict(visual='a.npy')))
    assert (results['has_text'], results['warnings']) == (False, [])


PIECES = st.sampled_from(
    [
        *(
            '\n',
            '\n\n',
            '00:00:01,000 --> 00:00:02,000',
            '-1:00:00,0 --> 0:0:1,0',
            'WEBVTT',
            'NOTE ',
        ),
        *('[Events]', '[V4+ Styles]', 'Dialogue: 0,', 'Format: Start, End', 'Style: a,b', '{\\p1}'),
        *(
            'Dialogue: 0,0:00:01.00,0:00:02.00,a,,0,0,0,,x',
            'Fontsize: x',
            '<i',
            '&#x110000;',
            '\x00',
        ),
        *('9' * 40 + ':00:00,000 --> 00:00:01,000', '{', '}', ',', '-->', 'word', '[Script Info]'),
    ]
)


@settings(max_examples=400, deadline=None)
@given(
    suffix=st.sampled_from(SUFFIXES),
    content=st.one_of(
        st.binary(max_size=200),
        st.lists(PIECES, max_size=14).map(lambda pieces: ''.join(pieces).encode()),
        st.lists(PIECES, max_size=14).map(lambda pieces: '\n'.join(pieces).encode('utf-16')),
    ),
)
def test_no_content_makes_loading_fail(suffix: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / f'a{suffix}').write_bytes(content)
        results = load(Path(folder) / 'a.mp4')
    assert results['has_text'] == bool(results['transcript'])
    assert len(results['warnings']) == (0 if results['has_text'] else 1)
    for line in results['transcript']:
        assert 0 <= line.start < line.end and line.text
