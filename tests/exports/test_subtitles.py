from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pysubs2

from mart_mm.exports.subtitles import write_subtitles

CUE = re.compile(
    r'(\d+)\n(\d\d):(\d\d):(\d\d),(\d{3}) --> (\d\d):(\d\d):(\d\d),(\d{3})\n(.+?)\n\n', re.DOTALL
)


def cues(path: Path) -> list[tuple[int, int, str]]:
    """By hand: milliseconds and text."""
    found, at = [], 0
    text = path.read_text(encoding='utf-8')
    for number, match in enumerate(CUE.finditer(text), 1):
        assert match.start() == at and int(match[1]) == number
        at = match.end()
        clock = [int(group) for group in match.groups()[1:9]]
        start, end = (((h * 60 + m) * 60 + s) * 1000 + ms for h, m, s, ms in (clock[:4], clock[4:]))
        found.append((start, end, match[10]))
    assert at == len(text)
    return found


def test_emotions_and_verified_words(tmp_path: Path, kit: SimpleNamespace) -> None:
    report = kit.report(seconds=1.2344)
    (path,) = write_subtitles(report, tmp_path / 'a.srt')
    expected = [
        (0, 1234, 'anger 60%\nverified: hate'),
        (1234, 2469, 'joy 65%'),
        (2469, 3703, 'sadness 70%'),  # its words failed
    ]
    assert cues(path) == expected
    events = pysubs2.load(str(path), encoding='utf-8')
    assert [(e.start, e.end, e.plaintext) for e in events] == expected


def test_words_are_no_markup(tmp_path: Path, kit: SimpleNamespace) -> None:
    evil = ['<i>x', r'{\an8}y', r'C:\new', 'a\n\n2\n00:00:00,000 --> b', '911', '😀']
    words = [(word, 0.1, 0.2, 0, 3) for word in evil]
    report = kit.report(words=words, classes=('<b>anger</b>', 'joy', 'sadness'))
    (path,) = write_subtitles(report, tmp_path / 'a.srt')
    by_hand = cues(path)
    assert len(by_hand) == 3
    assert not set('<{}\\') & set(by_hand[0][2])
    assert by_hand[0][2].endswith('911, 😀')
    events = pysubs2.load(str(path), encoding='utf-8')
    assert [event.plaintext for event in events] == [text for *_, text in by_hand]
