"""Hostile words on their way from a subtitle file to what annotators and players open."""

from __future__ import annotations

import csv
import json
import math
import random
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import av
import numpy as np
import pysubs2
import pytest

from mart_mm.apis.inference.windows import WindowPipeline
from mart_mm.datasets.transforms.cues import FindCues
from mart_mm.datasets.transforms.transcript import LoadTranscript
from mart_mm.datasets.transforms.video import SampleSegments
from mart_mm.evaluation.emotion_metric import EmotionMetric
from mart_mm.exports import FORMATS as EXPORTS
from mart_mm.lexicon.container_subtitles import packet_text, read_container_subtitles
from mart_mm.lexicon.mood_map import MoodMap
from mart_mm.lexicon.transcript import TranscriptError
from mart_mm.structures.emotion_report import EmotionReport, SegmentReport, WordReport
from tests.reliability.subtitle_files import FORMATS, deadline
from tests.reliability.test_transcripts import KINDS

CLASSES = ['anger', 'joy']
MOODS = MoodMap(CLASSES, dict(anger='anger', joy='joy'))
# what a spreadsheet executes, what a terminal obeys, what turns writing round, what XML cannot hold
WORDS = ['=1+1', '+cmd|"x"!A0', '-2', '@SUM(A1)', '\t=1', "'quoted", '\x1b[31mred', '\x9b2J',
         '\u202eabc', 'a\x00b', 'a\x07b', 'a\ufffeb', ']]>', '<b>&amp;', '"', 'a,b;c', 'a\nb',
         '\ud800x', '😀', '語']  # fmt: skip


@pytest.fixture(scope='module')
def lexicon(tmp_path_factory: pytest.TempPathFactory) -> dict:
    path = tmp_path_factory.mktemp('lexicon') / 'words.json'
    entry = dict(concept='love', polarity='positive', value=0.9, moods=['joy'])
    path.write_text(json.dumps([entry]))
    return dict(type='FileLexicon', path=str(path))


def cues_in(path: Path, lexicon: dict) -> dict:
    results = LoadTranscript(sources=['sidecar'])(dict(video_path=str(path.with_suffix('.mp4'))))
    results |= dict(segment_times=np.array([[0, 1e9]]), mood_map=MOODS)
    return FindCues(lexicon=lexicon)(results)


def test_words_are_found_among_hostile_ones(tmp_path: Path, lexicon: dict) -> None:
    text = ' '.join(word.replace('\n', ' ') for word in WORDS if word != '\ud800x')
    for suffix in FORMATS:
        path = tmp_path / f'a{suffix}'
        path.write_text(FORMATS[suffix]([(1.0, 9.0, f'{text} love {text}')]), encoding='utf-8')
        results = cues_in(path, lexicon)
        (cue,) = results['cues'][0]
        begin, end = cue['span']
        assert results['texts'][0][begin:end] == 'love' == cue['word']
        assert 1.0 < cue['start'] < cue['end'] < 9.0
        assert not re.search('[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]', results['texts'][0])
        path.unlink()


def test_any_file_passes_through_the_lexicon(
    tmp_path: Path, lexicon: dict, count: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    rng, found = random.Random(3), 0
    number = count(100, 5000)
    for _ in range(number):
        path = tmp_path / f'a{rng.choice([*FORMATS])}'
        path.write_bytes(rng.choice([*KINDS.values()])(rng))
        results = cues_in(path, lexicon)
        path.unlink()
        assert bool(results['warnings']) != bool(results['transcript'])
        for cue in results['cues'][0]:
            begin, end = cue['span']
            assert results['texts'][0][begin:end].lower().startswith('lov')
            assert 0 <= cue['start'] < cue['end'] and math.isfinite(cue['end'])
        found += len(results['cues'][0])
    assert found
    tell(f'{number} files of any bytes through the lexicon: {found} words found, 0 raised')


@pytest.mark.parametrize(
    'content', [b'', b'\0' * 100, bytes(range(256)), b'1\n00:00:01,000 --> nan']
)
def test_a_transcript_given_to_the_inferencer(tmp_path: Path, content: bytes) -> None:
    """What the user names is read or refused; nothing else is taken in its place."""
    steps = [SampleSegments(num_segments=1, clip_len=1), LoadTranscript()]
    pipeline, video = WindowPipeline(steps, MOODS), tmp_path / 'a.mp4'
    (tmp_path / 'a.srt').write_text(FORMATS['.srt']([(1.0, 2.0, 'beside the video')]))
    given = tmp_path / 'given.srt'
    given.write_bytes(content)
    with pytest.raises(TranscriptError, match=r'given\.srt: '):
        pipeline.find_words(video, given)
    given.write_text(FORMATS['.srt']([(1.0, 2.0, 'given')]))
    words = pipeline.find_words(video, given)
    assert [line.text for line in words.lines] == ['given'] and words.source == 'given'


def hostile_report(video: str = 'a\ud83d.mp4') -> EmotionReport:
    text = ' '.join(WORDS)
    segment = SegmentReport(0.0, 2.0, [0.25, 0.75], 'joy', 1, 0.5, text)
    words = [WordReport(word, word, 0.1, 1.0, 0, 1, 'joy', [0.0, 0.9], 3, None) for word in WORDS]
    return EmotionReport(
        video, 2.0, CLASSES, [-1, 1], 'joy', [0.25, 0.75], 1, [segment], words, True, 'given'
    )  # fmt: skip


def test_exports_hold_hostile_words(tmp_path: Path) -> None:
    """Every format that writes words can be read again by another library, with all of them in it."""
    report = hostile_report()
    held = [word.encode(errors='replace').decode() for word in WORDS]

    (path,) = EXPORTS['json'].write(report, tmp_path / 'a.json', None)
    assert EmotionReport.load(path) == report

    table = EXPORTS['csv'].write(report, tmp_path / 'a.csv', None)[1]
    with open(table, encoding='utf-8-sig', newline='') as file:
        cells = [row['word'] for row in csv.DictReader(file, strict=True)]
    assert [cell[cell.startswith("'") :] for cell in cells] == held
    assert not [cell for cell in cells if cell.lstrip()[:1] in tuple('=+-@')]

    (path,) = EXPORTS['eaf'].write(report, tmp_path / 'a.eaf', None)
    said = [node.text for node in ElementTree.parse(path).iter('ANNOTATION_VALUE')]
    for word in WORDS:
        in_xml = re.sub('[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]', '\ufffd', word)
        assert in_xml in said

    (path, interface) = EXPORTS['labelstudio'].write(report, tmp_path / 'a.json', None)
    (task,) = json.loads(path.read_text(encoding='utf-8'))
    regions = task['predictions'][0]['result']
    assert [r['meta']['text'][0] for r in regions if r['id'].startswith('word-')] == held
    ElementTree.parse(interface)

    (path,) = EXPORTS['srt'].write(report, tmp_path / 'a.srt', None)
    (event,) = pysubs2.load(str(path), encoding='utf-8')
    assert event.text.startswith('joy 75%\\Nverified: ') and '=1+1' in event.text


def test_scores_of_videos_are_no_formulas(tmp_path: Path) -> None:
    metric = EmotionMetric(polarity=[-1, 1], dump=str(tmp_path / 'scores'))
    metric.dataset_meta = dict(classes=['=joy', 'fear'], polarity=[-1, 1])
    names = ['=1+1', '@x', 'plain']
    metric.process({}, [
        dict(video_id=name, gt_emotion=0, pred_emotion=0, pred_scores=[0.5, 0.5]) for name in names
    ])  # fmt: skip
    metric.evaluate(len(names))
    with open(tmp_path / 'scores.csv', encoding='utf-8', newline='') as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows[1:]] == ["'=1+1", "'@x", 'plain']
    assert rows[0][-2:] == ["'=joy", 'fear'] and rows[1][1] == "'=joy" and rows[1][-1] == '0.5'


CODECS = ['mov_text', 'subrip', 'ass', 'webvtt', 'text']


def test_packets_of_any_bytes(
    count: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    rng, shown = random.Random(4), 0
    number = count(300, 20_000)
    for _ in range(number):
        text = packet_text(rng.choice([*KINDS.values()])(rng), rng.choice(CODECS))
        assert text == ' '.join(text.split()) and '\0' not in text
        text.encode()
        shown += bool(text)
    for size in (10**5, 10**6):
        for codec in CODECS:
            with deadline():
                packet_text(b'{<' * size, codec)
    tell(f'{number} packets of any bytes: {shown} with text, 0 raised')


@pytest.mark.parametrize('codec', ['subrip', 'ass', 'webvtt'])
def test_hostile_bytes_inside_a_video(tmp_path: Path, codec: str) -> None:
    """Broken packets of a stream cost the others nothing."""
    rng, path = random.Random(5), tmp_path / 'a.mkv'
    head = b'0,0,Default,,0,0,0,,' if codec == 'ass' else b''
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec)
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.codec_context.subtitle_header = FORMATS['.ass']([]).encode()
        for number in range(40):
            is_good = number % 10 == 5
            content = head + b'good %d' % number if is_good else rng.randbytes(rng.randrange(1, 90))
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, Fraction(1, 1000)
            packet.pts = packet.dts = number * 1000
            packet.duration = 500
            container.mux(packet)
    lines = read_container_subtitles(path)
    good = [(line.start, line.end, line.text) for line in lines if line.text.startswith('good')]
    assert good == [(n, n + 0.5, f'good {n}') for n in (5, 15, 25, 35)]
