from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pysubs2
import pytest

from mart_mm.lexicon.transcript import TimedWord, TranscriptError, word_times
from mart_mm.transcription import results
from mart_mm.transcription.filters import Dropped
from mart_mm.transcription.results import (
    Transcription,
    file_identity,
    is_finished,
    read_speech,
    result_path,
    write_result,
)
from mart_mm.transcription.segments import SpeechSegment, SpeechWord

SETTINGS = dict(backend='b', model=dict(name='m'), options=dict(language=None))


def segment(start: float, text: str, *words: SpeechWord) -> SpeechSegment:
    return SpeechSegment(start, start + 1.5, text, 0.125, -0.25, 1.5, words)


LATER = segment(
    3725.0004, 'Déjà vu, vu!', SpeechWord('Déjà', 3725.1, 3725.4, 0.9),
    SpeechWord('vu,', 3725.5, 3725.6, 0.8), SpeechWord('vu!', 3725.7, 3725.9, 0.7),
)  # fmt: skip
PLAIN = segment(1.0, 'no word times')


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / 'a.b.mp4'
    path.write_bytes(b'x' * 1000)
    return path


def write(video: Path, *segments: SpeechSegment, dropped: tuple[Dropped, ...] = ()) -> Path:
    media = file_identity(video)
    return write_result(video, Transcription(SETTINGS, media, 'fr', True, segments, dropped))


def test_written_and_read_again(video: Path) -> None:
    path = write(video, PLAIN, LATER, dropped=(Dropped(segment(9, 'x'), 'no_speech'),))
    assert path == result_path(video) == video.with_name('a.b.asr.json')
    lines = read_speech(path)
    assert [line[:3] for line in lines] == [
        (1.0, 2.5, 'no word times'),
        (3725.0004, 3726.5004, 'Déjà vu, vu!'),
    ]
    assert word_times(lines[1]) == [
        TimedWord('Déjà', 3725.1, 3725.4, (0, 4)),
        TimedWord('vu,', 3725.5, 3725.6, (5, 8)),
        TimedWord('vu!', 3725.7, 3725.9, (9, 12)),
    ]
    assert lines[0].words == ()
    content = json.loads(path.read_text())
    assert content['counts'] == dict(kept=2, dropped=dict(no_speech=1))
    assert content['dropped'][0]['reason'] == 'no_speech'
    assert content['segments'][1]['words'][0]['probability'] == 0.9
    assert {k: content[k] for k in SETTINGS} == SETTINGS and content['language'] == 'fr'
    assert sorted(p.name for p in video.parent.iterdir()) == [
        'a.b.asr.json',
        'a.b.asr.srt',
        'a.b.mp4',
    ]


def test_subtitles_are_read_by_others(video: Path) -> None:
    write(video, PLAIN, LATER)
    events = pysubs2.load(str(video.with_name('a.b.asr.srt'))).events
    assert [(e.start, e.end, e.text) for e in events] == [
        (1000, 2500, 'no word times'),
        (3725000, 3726500, 'Déjà vu, vu!'),
    ]


def test_words_that_are_not_in_the_text_are_not_used() -> None:
    line = segment(0, 'one two', SpeechWord('one', 0, 1, 1), SpeechWord('three', 1, 2, 1)).line()
    assert line.words == () and line.text == 'one two'


@pytest.mark.parametrize('num_replaced', [0, 1])
def test_a_stopped_writer_leaves_the_old_result(
    video: Path, monkeypatch: pytest.MonkeyPatch, num_replaced: int
) -> None:
    path = write(video, PLAIN)
    before = path.read_bytes()
    targets: list[Path] = []
    replace = os.replace

    def stop(source: Path, target: Path) -> None:
        if len(targets) == num_replaced:
            raise KeyboardInterrupt
        targets.append(target)
        replace(source, target)

    monkeypatch.setattr(results.os, 'replace', stop)
    with pytest.raises(KeyboardInterrupt):
        write(video, LATER)
    assert path.read_bytes() == before
    assert [target.suffix for target in targets] == ['.srt'] * num_replaced
    assert not [p for p in video.parent.iterdir() if p.name.endswith('.part')]


def test_finished_means_same_file_and_settings(video: Path) -> None:
    assert not is_finished(video, SETTINGS)
    path = write(video, PLAIN)
    assert is_finished(video, SETTINGS)
    assert not is_finished(video, SETTINGS | dict(backend='other'))
    os.utime(video, (1, 1))
    assert is_finished(video, SETTINGS)  # a copy has another date
    video.write_bytes(b'x' * 999 + b'y')
    assert not is_finished(video, SETTINGS)
    video.write_bytes(b'x' * 1000)
    assert is_finished(video, SETTINGS)
    path.write_text(path.read_text()[:-20])
    assert not is_finished(video, SETTINGS)


def test_identity_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / 'm').mkdir()
    for name in ('model.bin', 'config.json'):
        (tmp_path / 'm' / name).write_text(name)
    first = file_identity(tmp_path / 'm')
    shutil.copytree(tmp_path / 'm', tmp_path / 'n' / 'm')
    assert file_identity(tmp_path / 'n' / 'm') == first
    (tmp_path / 'm' / 'config.json').write_text('CONFIG.JSON')
    assert file_identity(tmp_path / 'm') != first


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        ('', 'JSON'),
        ('[' * 100000, 'JSON'),
        ('[]', 'version None'),
        ('{"version": 99, "segments": []}', 'version 99'),
        ('{"version": 1}', 'segments'),
        ('{"version": 1, "segments": [1]}', 'damaged'),
        ('{"version": 1, "segments": [{"start": "x"}]}', 'damaged'),
        ('{"version": 1, "segments": {"a": 1}}', 'damaged'),
    ],
)
def test_damaged_results(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / 'a.asr.json'
    path.write_text(content)
    with pytest.raises(TranscriptError, match=reason):
        read_speech(path)


def test_result_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match='cannot be opened'):
        read_speech(tmp_path / 'none.asr.json')
