"""Subtitle files of any content: what is known to be said in them is read, and nothing raises or hangs."""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mart_mm.lexicon.transcript import TranscriptError, TranscriptLine, read_transcript, word_times
from tests.reliability.subtitle_files import FORMATS, Cue, clock, deadline

SAID: list[Cue] = [(1.0, 2.5, 'Hello there'), (3.0, 4.0, 'I love it'), (5.0, 6.5, 'Good bye')]
LONG = 10**5

#: cues as written -> cues that are to be read; None: as written
CASES: dict[str, tuple[list[Cue], list[Cue] | None]] = {
    'plain': (SAID, None),
    'unordered': ([SAID[2], SAID[0], SAID[1]], SAID),
    'overlapping': ([(1.0, 5.0, 'a b'), (2.0, 3.0, 'c'), (2.0, 9.0, 'd')], None),
    'zero length': ([(1.0, 1.0, 'gone'), *SAID], SAID),
    'ends before it starts': ([(9.0, 8.0, 'gone'), *SAID], SAID),
    'negative': (
        [(-5.0, -1.0, 'gone'), (-1.0, 0.5, 'cut'), *SAID],
        [(0.0, 0.5, 'cut'), *SAID],
    ),
    'a hundred hours': ([(360000.0, 360001.0, 'late')], None),
    'numbers are said': ([(1.0, 2.0, 'In the year\n1984'), (3.0, 4.0, '42'), (5.0, 6.0, 'x\n7')],
                         [(1.0, 2.0, 'In the year 1984'), (3.0, 4.0, '42'), (5.0, 6.0, 'x 7')]),
    'unclosed tags': (
        [(1.0, 2.0, '<i>one'), (3.0, 4.0, 'two</font>'), (5.0, 6.0, '<b three'), (7.0, 8.0, 'I <3 u')],
        [(1.0, 2.0, 'one'), (3.0, 4.0, 'two'), (5.0, 6.0, '<b three'), (7.0, 8.0, 'I <3 u')],
    ),
    'nested tags': (
        [(1.0, 2.0, '<i>' * LONG + 'in' + '</i>' * LONG), (3.0, 4.0, '{\\b1}' * LONG + 'side')],
        [(1.0, 2.0, 'in'), (3.0, 4.0, 'side')],
    ),
    'entities': (
        [(1.0, 2.0, 'a&amp;b &lt;i&gt; &#65; &#' + '9' * LONG + '; &unknown; &#0; &#xd800;')],
        [(1.0, 2.0, 'a&b <i> A \ufffd &unknown; \ufffd \ufffd')],
    ),
    'unseen signs': (
        [(1.0, 2.0, 'a\x00b\x1b[31mc\u202ed\u2066e\u200bf\x9bg\xadh\u061ci')],
        [(1.0, 2.0, 'ab[31mcdefghi')],
    ),
    'one line a thousand times': ([(1.0, 2.0, 'again')] * 1000, None),
    'a long line': ([(1.0, 2.0, 'word ' * LONG + 'end')], None),
}  # fmt: skip


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def said(path: Path) -> list[Cue]:
    return [tuple(line[:3]) for line in read_transcript(path)]


@pytest.mark.parametrize('suffix', FORMATS)
@pytest.mark.parametrize('name', CASES)
def test_what_is_known_to_be_said_is_read(tmp_path: Path, name: str, suffix: str) -> None:
    cues, expected = CASES[name]
    assert said(written(tmp_path / f'a{suffix}', FORMATS[suffix](cues))) == (expected or cues)


TIMINGS = {
    '00:01,000 --> 00:02,500': (1.0, 2.5),
    '0:00:01.000 --> 0:00:02.500': (1.0, 2.5),
    '00:00:01 --> 00:00:02,5': (1.0, 2.5),
    '  00:00:01,000-->00:00:02,500  X1:10 Y1:20': (1.0, 2.5),
    '00:00:01,000 --> 00:00:02,500 align:start position:0%': (1.0, 2.5),
    '٠٠:٠٠:٠١,٠٠٠ --> ٠٠:٠٠:٠٢,٥٠٠': (1.0, 2.5),
    '-00:00:03,000 --> 00:00:02,500': (0.0, 2.5),
    '100:00:01,000 --> 100:00:02,500': (360001.0, 360002.5),
    '00:00:01,000 --> nan': None,
    'inf:00:01,000 --> 00:00:02,000': None,
    '00:00:01,000 --> 00:00:01e9,000': (1.0, 1.0),
    '9' * 5000 + ':00:01,000 --> 00:00:02,000': None,
    '00:00:01,000 --> ' + '9' * 5000 + ':00:02,000': None,
    '²0:00:01,000 --> 00:00:02,000': None,
}


@pytest.mark.parametrize('suffix', ['.srt', '.vtt'])
@pytest.mark.parametrize('timing', TIMINGS, ids=lambda timing: timing[:40])
def test_spellings_of_times(tmp_path: Path, timing: str, suffix: str) -> None:
    """A line of times that cannot be understood costs its own cue, and no word goes to another."""
    before, after = (0.1, 0.2, 'before'), (500000.0, 500001.0, 'after')
    blocks = [FORMATS['.srt']([cue]) for cue in (before, after)]
    text = 'WEBVTT\n\n' + f'{blocks[0]}\n7\n{timing}\nbetween\n\n{blocks[1]}'
    times = TIMINGS[timing]
    middle = [(*times, 'between')] if times and times[0] < times[1] else []
    assert said(written(tmp_path / f'a{suffix}', text)) == sorted([before, *middle, after])


@pytest.mark.parametrize(
    'row',
    [
        'Dialogue: 0,xx,0:00:02.00,Default,,0,0,0,,gone',
        'Dialogue: 0,0:00:01.00',
        'Dialogue:',
        'Dialogue: x,0:00:01.00,0:00:02.00,D,,many,,,,kept',
        'Style: a,b,c,&Hzz,zz',
        'Format: nothing',
        '[' + 'a' * 1000,
        'Comment: 0,0:00:01.00,0:00:02.00,D,,0,0,0,,gone',
    ],
)
def test_a_broken_line_of_ass_costs_no_other(tmp_path: Path, row: str) -> None:
    content = FORMATS['.ass'](SAID[:2]) + row + '\n' + FORMATS['.ass'](SAID[2:]).splitlines()[-1]
    kept = [(1.0, 2.0, 'kept')] if 'kept' in row else []
    assert said(written(tmp_path / 'a.ass', content)) == sorted([*SAID, *kept])


FRENCH = 'Où êtes-vous ? Ça va très bien, cher élève ; « déjà vu » à Besançon'
GERMAN = 'Grüße aus München: schöne Straße, „Äpfel“ für 5 €, Überraschung'
SPANISH = '¿Qué pasó mañana, señor? ¡Adiós, corazón! Está allí'
CHINESE = '今天天气很好，我们去公园散步吧。你爱我吗？'
UNICODE = (
    'utf-8',
    'utf-8-sig',
    'utf-16',
    'utf-16-le',
    'utf-16-be',
    'utf-32',
    'utf-32-le',
    'utf-32-be',
)
ENCODED = {
    **{(code, text): text for code in UNICODE for text in (FRENCH, CHINESE, CHINESE * 9, '😀 ☃')},
    **{('cp1252', text): text for text in (FRENCH, GERMAN, SPANISH)},
    **{('gb2312', text): text for text in (CHINESE, f'Tom说：{CHINESE} OK!')},
    ('gbk', '朱镕基说今天天气很好'): '朱镕基说今天天气很好',
}  # fmt: skip


@pytest.mark.parametrize('suffix', FORMATS)
@pytest.mark.parametrize('big_endian_mark', [False, True])
def test_encodings_of_real_sentences(tmp_path: Path, suffix: str, big_endian_mark: bool) -> None:
    for encoding, text in ENCODED:
        cues = [(1.0, 2.0, text), *SAID[1:]]
        content = FORMATS[suffix](cues)
        if big_endian_mark and encoding in ('utf-16-be', 'utf-32-be'):
            content = '\ufeff' + content
        path = written(tmp_path / f'a{suffix}', content.encode(encoding))
        assert said(path) == cues, (encoding, text)


def checked(path: Path, content: bytes) -> list[TranscriptLine]:
    """Lines of any content, none where it has none, and their properties."""
    path.write_bytes(content)
    try:
        lines = read_transcript(path)
    except TranscriptError as error:
        assert str(path) in str(error) and len(str(error)) < 500
        return []
    assert lines and lines == sorted(lines)
    for line in lines:
        assert math.isfinite(line.start) and math.isfinite(line.end)
        assert 0 <= line.start < line.end
        assert line.text and line.text == ' '.join(line.text.split()) and '\0' not in line.text
        line.text.encode()  # no lone surrogates
    for word in word_times(lines[0]):
        assert lines[0].start <= word.start <= word.end <= lines[0].end + 1e-6
    return lines


PIECES = [
    *('\n', '\n\n', '\r', '\r\n', ' ', '\t', ',', ':', '.', '-->', '->', '-', '1', '42', '٣', '²'),
    *('00:00:01,000', '00:02.5', '0:00:03.00', '-1:00:00,0', 'nan', 'inf', '1e999', '9' * 400),
    *('00:00:01,000 --> 00:00:02,000\n', '00:01.000 --> 00:02.000 align:start\n', 'word', 'I love you'),
    *('WEBVTT', 'NOTE ', 'STYLE\n', '[Events]\n', '[V4+ Styles]\n', 'Format: Start, End, Text\n'),
    *('Dialogue: 0,0:00:01.00,0:00:02.00,a,,0,0,0,,x', 'Dialogue: ', 'Comment: ', '{\\p1}', '{', '}'),
    *('<i>', '</i', '<', '>', '<' * 50, '&#x110000;', '&#xd800;', '&lt;', '\0', '\x1b[2J', '\u202e'),
    *('\ud800', '\ufeff', '\u2028', '\x85', '😀', 'é', '今', '\\N', '\\h', '<00:01.000>'),
]  # fmt: skip
CODES = [
    'utf-8',
    'utf-8-sig',
    'utf-16',
    'utf-16-be',
    'utf-32',
    'cp1252',
    'gb18030',
    'utf-7',
    'cp037',
]


def uniform(rng: random.Random) -> bytes:
    return rng.randbytes(rng.choice((0, 1, 3, 30, 300)))


def grammar(rng: random.Random) -> bytes:
    text = ''.join(rng.choices(PIECES, k=rng.randrange(1, 30)))
    code = rng.choice(CODES)
    return text.encode(code, errors='surrogatepass' if code.startswith('utf-') else 'replace')


def mutated(rng: random.Random) -> bytes:
    content = bytearray(FORMATS[rng.choice([*FORMATS])](SAID).encode(rng.choice(CODES[:7])))
    for _ in range(rng.randrange(1, 12)):
        place = rng.randrange(len(content) + 1)
        kind = rng.randrange(4)
        stop = place + rng.randrange(1, 20)
        if kind == 0:
            content[place:stop] = b''
        elif kind == 1:
            content[place:place] = content[place:stop] * rng.randrange(1, 5)
        elif kind == 2:
            content[place : place + 1] = rng.randbytes(1)
        else:
            content[place:place] = rng.choice(PIECES).encode(errors='replace')
    return bytes(content)


KINDS = {'uniform bytes': uniform, 'pieces of subtitles': grammar, 'damaged files': mutated}


@pytest.mark.parametrize('kind', KINDS)
def test_random_bytes(
    tmp_path: Path, kind: str, count: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    rng, found = random.Random(0), Counter()
    number = count(300, 30_000)
    with deadline(600):
        for _ in range(number):
            suffix = rng.choice([*FORMATS])
            found[bool(checked(tmp_path / f'a{suffix}', KINDS[kind](rng)))] += 1
    tell(f'{number} strings of {kind}: {found[True]} with lines, {found[False]} without, 0 raised')


def test_texts_that_hypothesis_thinks_of(
    tmp_path: Path, count: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    number, found = count(60, 10_000), Counter()

    @settings(max_examples=number, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from([*FORMATS]), st.sampled_from(CODES), st.text(max_size=60), st.booleans())
    def check(suffix: str, code: str, text: str, is_cue: bool) -> None:
        content = FORMATS[suffix]([(1.0, 2.0, text)]) if is_cue else text
        content = content.encode(code, errors='replace')
        found[bool(checked(tmp_path / f'a{suffix}', content))] += 1

    with deadline(600):
        check()
    assert found.total() >= number
    tell(f'{found.total()} texts: {found[True]} with lines, {found[False]} without, 0 raised')


def test_damage_of_one_cue_costs_no_other(
    tmp_path: Path, count: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    """Bytes of one cue are exchanged: the others are read as they are."""
    rng = random.Random(1)
    cues = [(float(n), n + 0.5, f'word{n} is said') for n in range(1, 8)]
    number = count(200, 10_000)
    for _ in range(number):
        suffix = rng.choice([*FORMATS])
        lines = FORMATS[suffix](cues).encode().split(b'\n')
        victim = rng.randrange(1, 8)
        at = next(i for i, line in enumerate(lines) if b'word%d ' % victim in line)
        at -= rng.randrange(2) if suffix != '.ass' else 0
        line = bytearray(lines[at])
        for _ in range(rng.randrange(1, 4)):
            line[rng.randrange(len(line))] = rng.choice([*range(1, 10), *range(14, 256)])
        lines[at] = bytes(line)
        read = checked(tmp_path / f'a{suffix}', b'\n'.join(lines))
        others = [cue for n, cue in enumerate(cues, 1) if n != victim]
        for cue in others:
            # of SubRip, a cue whose times are lost has no beginning: it is the end of the one before
            texts = [line.text for line in read if line[:2] == cue[:2]]
            assert any(text.startswith(cue[2]) for text in texts), (suffix, line, read)
    tell(f'{number} damaged cues: all 6 others read each time')


CATASTROPHES: dict[str, Callable[[int], tuple[str, str]]] = {
    'one line': lambda n: ('.srt', FORMATS['.srt']([(1.0, 2.0, 'x' * n)])),
    'words': lambda n: ('.vtt', FORMATS['.vtt']([(1.0, 2.0, 'love ' * (n // 5))])),
    'open tags': lambda n: ('.srt', FORMATS['.srt']([(1.0, 2.0, '<a' * (n // 2))])),
    'open overrides': lambda n: ('.ass', FORMATS['.ass']([(1.0, 2.0, '{' * n)])),
    'open times': lambda n: ('.vtt', FORMATS['.vtt']([(1.0, 2.0, '<' + '1' * n)])),
    'blank lines': lambda n: ('.srt', FORMATS['.srt']([(1.0, 2.0, 'x' + '\n' * n + 'y')])),
    'digits': lambda n: ('.srt', '1' * n + ' --> ' + '1' * n),
    'dashes': lambda n: ('.srt', '00:00:01,000 ' + '-' * n),
    'blanks': lambda n: ('.srt', '00:00:01,000' + ' ' * n + '-->'),
    'open section': lambda n: ('.ass', '[' + 'a' * n),
    'commas': lambda n: ('.ass', 'Dialogue: ' + ',' * n),
    'entities': lambda n: ('.vtt', FORMATS['.vtt']([(1.0, 2.0, '&#' + '9' * n)])),
    'ampersands': lambda n: ('.vtt', FORMATS['.vtt']([(1.0, 2.0, '&' * n)])),
    'cues': lambda n: ('.srt', FORMATS['.srt']([(1.0, 2.0, 'again')] * (n // 40))),
}


@pytest.mark.parametrize('name', CATASTROPHES)
def test_time_grows_with_the_size(
    tmp_path: Path, name: str, count: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    """10 MB in the whole form, 200 kB otherwise; twice the size takes twice the time."""
    size, rounds = count(2 * 10**5, 5 * 10**6), count(1, 2)
    times = {}
    for factor in (1, 2) if rounds > 1 else (1,):
        suffix, text = CATASTROPHES[name](size * factor)
        content = text.encode()
        for _ in range(rounds):
            with deadline(60):
                start = time.process_time()
                checked(tmp_path / f'a{suffix}', content)
            times[factor] = min(time.process_time() - start, times.get(factor, math.inf))
    if rounds > 1:
        growth = (times[2] + 0.05) / (times[1] + 0.05)  # below that, a clock says little
        assert growth < 3
        tell(f'{name}: {2 * size} bytes in {times[2]:.2f} s, {growth:.2f} times those of half')


def test_ten_megabytes_in_one_line(tmp_path: Path) -> None:
    text = 'lovely' * (10**7 // 6)
    path = written(tmp_path / 'a.srt', FORMATS['.srt']([(1.0, 2.0, text)]))
    with deadline(60):
        assert said(path) == [(1.0, 2.0, text)]
    assert clock(-1.5, ',') == '-00:00:01,500'
