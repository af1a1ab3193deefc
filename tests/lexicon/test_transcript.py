from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from mart_mm.lexicon.transcript import (
    TimedWord,
    TranscriptError,
    TranscriptLine,
    find_sidecar,
    find_sidecars,
    word_times,
)
from mart_mm.lexicon.transcript import read_transcript as read_lines

SENATOR = [
    (137.4, 140.4, "Senator, we're making our final approach into Coruscant."),
    (3740.5, 3742.5, 'Very good, Lieutenant.'),
]
REAL_FILES = {
    'ass.ass': SENATOR,
    'srt.srt': SENATOR,
    'vtt.vtt': SENATOR,
    'captions_with_bom.vtt': [
        (0.5, 7.0, 'Caption text #1'),
        (7.0, 11.89, 'Caption text #2'),
        (11.89, 16.32, 'Caption text #3'),
        (16.32, 21.58, 'Caption text #4'),
    ],
    'subtitles-unicode.srt': [(0.0, 5.0, 'ÁÉíöÙ')],
    'subtitles.srt': [
        (0.0, 1.0, 'Red!'),
        (2.0, 3.5, 'More Red!'),
        (5.0, 6.0, 'Green!'),
        (7.0, 8.0, 'Blue'),
        (9.0, 10.0, 'More Blue!'),
    ],
    'utf16.srt': [(0.0, 1.0, 'ترجمه و تنظيم زيرنويس')],
    'vtt_with_styles.vtt': [(0.0, 10.0, 'Hello world.')],
    'vtt_without_hours_in_timestamp.vtt': [(0.0, 10.0, "I've spent nearly two decades")],
}
SRT = '1\n00:00:01,000 --> 00:00:02,500\nDéjà vu, love!\n\n2\n00:00:03,000 --> 00:00:04,000\nBye\n'


def read_transcript(path: Path) -> list[tuple[float, float, str]]:
    """Start, end and text of each line; files do not know the times of words."""
    lines = read_lines(path)
    assert all(line.words == () for line in lines)
    return [line[:3] for line in lines]


@pytest.mark.parametrize('name', REAL_FILES)
def test_real_files(shared_data: Path, name: str) -> None:
    assert read_transcript(shared_data / 'subtitles' / name) == REAL_FILES[name]


def test_no_real_file_is_forgotten(shared_data: Path) -> None:
    names = {path.name for path in (shared_data / 'subtitles').iterdir()}
    assert names - set(REAL_FILES) == {'test.srt'}
    lines = read_transcript(shared_data / 'subtitles/test.srt')
    assert lines[0] == (12.44, 14.955, "I've spent nearly two decades")
    assert (42.295, 43.662, 'Apparently.') in lines
    assert all(a[1] <= b[0] for a, b in zip(lines, lines[1:], strict=False))


@pytest.mark.parametrize(
    'encoding',
    ['utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-16-be', 'utf-32', 'utf-32-le', 'utf-32-be']
    + ['cp1252'],
)
@pytest.mark.parametrize('newline', ['\n', '\r\n', '\r'])
def test_encodings(tmp_path: Path, encoding: str, newline: str) -> None:
    path = tmp_path / 'a.srt'
    path.write_bytes(SRT.replace('\n', newline).encode(encoding))
    assert read_transcript(path) == [(1.0, 2.5, 'Déjà vu, love!'), (3.0, 4.0, 'Bye')]


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding='utf-8')
    return path


def test_tags_entities_and_unseen_signs(tmp_path: Path) -> None:
    text = (
        '1\n00:00:01,000 --> 00:00:02,000\n{\\an8}<i>Tom &amp; <font color="red">Ann</font></i>\n'
        'I <3 you, 1 < 2 &lt;b&gt; \u200e\ufeffx&nbsp;y\n'
    )
    assert read_transcript(write(tmp_path / 'a.srt', text)) == [
        (1.0, 2.0, 'Tom & Ann I <3 you, 1 < 2 <b> x y')
    ]


def test_vtt_blocks_that_are_no_cues(tmp_path: Path) -> None:
    text = (
        'WEBVTT - title\n\nREGION\nid:a\n\nintro\n00:01.000 --> 00:02.000 align:start\n'
        '<v Bob>Hi <c.red>there</c></v> <00:00:01.500>you\n\nNOTE not said\nnot said either\n\n'
        'second name\n00:03.000 --> 00:04.000\nBye\n\nNOTE\n00:05.000 --> 00:06.000\nnot said\n'
    )
    assert read_transcript(write(tmp_path / 'a.vtt', text)) == [
        (1.0, 2.0, 'Hi there you'),
        (3.0, 4.0, 'Bye'),
    ]


def test_lines_out_of_order_and_impossible_times(tmp_path: Path) -> None:
    blocks = [
        ('00:00:09,000 --> 00:00:10,000', 'last'),
        ('00:00:05,000 --> 00:00:04,000', 'ends before it starts'),
        ('00:00:06,000 --> 00:00:06,000', 'no length'),
        ('00:00:07,000 --> 00:00:08,000', '   '),
        ('00:00:01,000 --> 00:00:03,000', 'first'),
    ]
    text = '\n\n'.join(f'{i}\n{time}\n{said}' for i, (time, said) in enumerate(blocks))
    assert read_transcript(write(tmp_path / 'a.srt', text)) == [
        (1.0, 3.0, 'first'),
        (9.0, 10.0, 'last'),
    ]


def test_ass_comments_drawings_and_breaks(tmp_path: Path) -> None:
    head = (
        '[Script Info]\nScriptType: v4.00+\n\n[Events]\n'
        'Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n'
    )
    rows = [
        'Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\p1}m 0 0 l 10 10{\\p0}',
        'Comment: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,not said',
        'Dialogue: 0,0:00:03.00,0:00:04.50,Default,,0,0,0,,{\\b1}One\\Ntwo,\\nthree\\hfour{\\b0}',
    ]
    path = write(tmp_path / 'a.ass', head + '\n'.join(rows) + '\n')
    assert read_transcript(path) == [(3.0, 4.5, 'One two, three four')]


def test_ssa(tmp_path: Path) -> None:
    text = (
        '[Script Info]\nScriptType: v4.00\n\n[Events]\n'
        'Format: Marked, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n'
        'Dialogue: Marked=0,0:00:01.00,0:00:02.00,Default,,0000,0000,0000,,Hey you\n'
    )
    assert read_transcript(write(tmp_path / 'a.SSA', text)) == [(1.0, 2.0, 'Hey you')]


@pytest.mark.parametrize(
    ('name', 'content', 'reason'),
    [
        ('a.srt', b'', 'empty'),
        ('a.vtt', b'\xef\xbb\xbf \n', 'empty'),
        ('a.srt', bytes(range(256)), 'no line'),
        ('a.vtt', b'WEBVTT\n\n', 'no line'),
        ('a.ass', b'no subtitle at all', 'no line'),
        ('a.txt', b'x', r'\.srt'),
    ],
)
def test_unreadable_files(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TranscriptError, match=reason) as error:
        read_transcript(path)
    assert error.value.path == str(path) and isinstance(error.value, ValueError)
    copy = pickle.loads(pickle.dumps(error.value))  # it has to cross processes
    assert (copy.path, copy.reason, str(copy)) == (
        error.value.path,
        error.value.reason,
        str(error.value),
    )


def test_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match='cannot be opened'):
        read_transcript(tmp_path / 'none.srt')


def test_word_times_are_linear_in_characters() -> None:
    line = TranscriptLine(10.0, 12.0, 'ab cde fghi j, ok hm')  # 20 characters: 0.1 s each
    words = word_times(line)
    assert [word.text for word in words] == ['ab', 'cde', 'fghi', 'j,', 'ok', 'hm']
    for word in words:
        place = line.text.index(word.text)
        assert word.span == (place, place + len(word.text))
        assert word.start == pytest.approx(10 + 0.1 * place)
        assert word.end == pytest.approx(10 + 0.1 * (place + len(word.text)))
    assert words[-1].end == pytest.approx(line.end)
    assert word_times(TranscriptLine(0.0, 1.0, '')) == []


def test_known_word_times_are_used() -> None:
    words = (TimedWord('ab', 10.5, 10.6, (0, 2)), TimedWord('cd', 11.0, 12.5, (3, 5)))
    assert word_times(TranscriptLine(10.0, 12.0, 'ab cd', words)) == list(words)


def test_find_sidecar(tmp_path: Path) -> None:
    for name in ('a.b.vtt', 'a.b.srt', 'c.SRT'):
        (tmp_path / name).write_text('x')
    assert find_sidecar(tmp_path / 'a.b').name == 'a.b.srt'
    assert find_sidecar(tmp_path / 'a.b', ('.ass', '.vtt')).name == 'a.b.vtt'
    assert find_sidecar(tmp_path / 'c').name == 'c.SRT'
    assert find_sidecar(tmp_path / 'd') is None
    assert [path.name for path in find_sidecars(tmp_path / 'a.b')] == ['a.b.srt', 'a.b.vtt']
