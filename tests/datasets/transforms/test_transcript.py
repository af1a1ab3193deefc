from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mart_mm.datasets.transforms.transcript import LoadTranscript
from mart_mm.lexicon.transcript import SUFFIXES

SRT = '1\n00:00:01,000 --> 00:00:02,000\nI love you\n'


def load(video: Path, **record: object) -> dict:
    return LoadTranscript()(dict(video_path=str(video), **record))


def test_sidecar_beside_the_video(tmp_path: Path) -> None:
    (tmp_path / 'a.b.srt').write_text(SRT)
    results = load(tmp_path / 'a.b.mp4')
    assert results['transcript'] == [(1.0, 2.0, 'I love you')]
    assert results['has_text'] is True and results['warnings'] == []


def test_given_transcript_comes_first(tmp_path: Path) -> None:
    (tmp_path / 'video.srt').write_text(SRT)
    (tmp_path / 'other.vtt').write_text('WEBVTT\n\n00:03.000 --> 00:04.000\nother\n')
    for given_path in ('other', 'other.vtt'):  # without and with its suffix
        results = load(tmp_path / 'video.mp4', transcript_path=str(tmp_path / given_path))
        assert results['transcript'] == [(3.0, 4.0, 'other')]
    results = load(tmp_path / 'video.mp4', transcript_path=str(tmp_path / 'none'))
    assert results['transcript'] == [(1.0, 2.0, 'I love you')]
    results = load(tmp_path / 'video.mp4', transcript_path=None)
    assert results['has_text']


def test_absent_transcript_is_no_warning(tmp_path: Path) -> None:
    results = load(tmp_path / 'a.mp4', transcript_path=str(tmp_path / 'none'))
    assert (results['transcript'], results['has_text'], results['warnings']) == ([], False, [])


@pytest.mark.parametrize('content', [b'', b'no subtitle', bytes(range(256)) * 4])
def test_garbled_transcript_is_absent_with_a_warning(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'a.srt').write_bytes(content)
    results = load(tmp_path / 'a.mp4', warnings=['earlier'])
    assert results['transcript'] == [] and results['has_text'] is False
    assert results['warnings'][0] == 'earlier'
    assert len(results['warnings']) == 2 and 'a.srt' in results['warnings'][1]


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
