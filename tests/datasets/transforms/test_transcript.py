from __future__ import annotations

import json
import pickle
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mart_mm.datasets.transforms import transcript as module
from mart_mm.datasets.transforms.transcript import FindCues, LoadTranscript
from mart_mm.lexicon.affect import AFFECT_DIMS
from mart_mm.lexicon.transcript import SUFFIXES, TranscriptLine
from mart_mm.registry import LEXICONS, TRANSFORMS

CLASSES = ['anger', 'fear', 'joy', 'surprise']
MOOD_MAP = dict(classes=CLASSES, table=dict(anger='anger', fear='fear', joy='joy', calmness='joy'))
SRT = '1\n00:00:01,000 --> 00:00:02,000\nI love you\n'


@pytest.fixture
def lexicon(tmp_path: Path) -> dict:
    rows = [
        dict(
            concept='happy birthday',
            polarity='positive',
            value=0.9,
            moods=['calmness', 'joy'],
            degrees=dict(joy=0.4, calmness=0.7),
        ),
        dict(concept='rage', polarity='negative', value=-0.8, moods=['anger']),
        dict(concept='wow', polarity='positive', value=0.3, moods=['surprise']),
        dict(concept='over', polarity='negative', value=-0.1, moods=['fear']),
    ]
    path = tmp_path / 'lexicon.json'
    path.write_text(json.dumps(rows))
    return dict(type='FileLexicon', path=str(path))


def cues_of(lexicon: dict, lines: list[tuple], segments: list, **options: object) -> dict:
    transform = TRANSFORMS.build(
        dict(type='FindCues', lexicon=lexicon, mood_map=MOOD_MAP, **options)
    )
    transcript = [TranscriptLine(*line) for line in lines]
    return transform(dict(transcript=transcript, segment_times=np.array(segments, dtype=float)))


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


def test_cue_holds_what_the_lexicon_says(lexicon: dict) -> None:
    results = cues_of(lexicon, [(0.0, 2.5, 'So happy birthday RAGE wow')], [(0, 4)])
    assert results['texts'] == ['So happy birthday RAGE wow']
    birthday, rage, wow = results['cues'][0]
    assert (birthday['word'], birthday['concept']) == ('happy birthday', 'happy birthday')
    assert birthday['span'] == (3, 17) and birthday['polarity'] == 1
    assert birthday['emotion_class'] == 2  # its first mood, calmness, speaks for joy
    np.testing.assert_allclose(birthday['degrees'], [0, 0, 0.7, 0], rtol=1e-6)
    # 26 characters in 2.5 s
    assert birthday['start'] == pytest.approx(3 * 2.5 / 26)
    assert birthday['end'] == pytest.approx(17 * 2.5 / 26)
    assert (rage['word'], rage['emotion_class'], rage['polarity']) == ('RAGE', 0, -1)
    np.testing.assert_allclose(rage['degrees'], [0.8, 0, 0, 0], rtol=1e-6)
    assert wow['emotion_class'] == -1 and wow['degrees'] == [0, 0, 0, 0]  # surprise has no line
    assert all(len(cue['affect']) == AFFECT_DIMS for cue in results['cues'][0])
    assert birthday['affect'][0] == pytest.approx(0.9)
    assert results['class_has_words'].tolist() == [True, True, True, False]
    json.dumps(results['cues'])  # plain numbers, as the reports need them


def test_line_over_two_segments_is_split_by_word_times(lexicon: dict) -> None:
    # 20 characters over 2 s from 1 s on: words start every half second
    results = cues_of(lexicon, [(1.0, 3.0, 'rage wows rage wowss')], [(0, 2), (2, 4), (4, 6)])
    assert results['texts'] == ['rage wows', 'rage wowss', '']
    assert [[cue['word'] for cue in cues] for cues in results['cues']] == [
        ['rage', 'wows'],
        ['rage'],
        [],
    ]
    assert results['cues'][1][0]['span'] == (0, 4)
    assert results['cues'][1][0]['start'] == pytest.approx(2.0)


def test_every_word_is_in_one_segment_or_outside_all(lexicon: dict) -> None:
    rng = np.random.default_rng(0)
    seen = 0
    for _ in range(30):
        edges = np.sort(rng.uniform(0, 20, 5))
        starts = np.sort(rng.uniform(0, 20, 6))
        lines = [(s, s + rng.uniform(0.1, 4), 'rage wow happy birthday so') for s in starts]
        segments = np.stack([edges[:-1], edges[1:]], axis=1)
        results = cues_of(lexicon, lines, segments)
        for (low, high), text, cues in zip(
            segments, results['texts'], results['cues'], strict=True
        ):
            expected = []
            for start, end, said in lines:
                place = 0
                for word in said.split():
                    first = said.index(word, place)
                    place = first + len(word)
                    middle = start + (first + place) / 2 / len(said) * (end - start)
                    if low <= middle < high:
                        expected.append(word)
            assert text.split() == expected
            assert sum(cue['word'] == 'rage' for cue in cues) == expected.count('rage')
            for cue in cues:
                assert text[slice(*cue['span'])] == cue['word']
                words = cue['word'].split()
                reach = max(end - start for start, end, _ in lines) * len(words[0]) / 52 + 1e-9
                assert low - reach <= cue['start'] < cue['end']
                seen += 1
    assert seen > 100


def test_no_transcript_gives_no_cues(lexicon: dict) -> None:
    results = cues_of(lexicon, [], [(0, 1), (1, 2)])
    assert results['texts'] == ['', ''] and results['cues'] == [[], []]


def test_function_words_on_request(lexicon: dict) -> None:
    line = [(0.0, 1.0, 'it is over')]
    assert cues_of(lexicon, line, [(0, 1)])['cues'] == [[]]
    (cue,) = cues_of(lexicon, line, [(0, 1)], keep_function_words=True)['cues'][0]
    assert cue['concept'] == 'over'


def test_lexicon_is_built_once_and_not_pickled(
    lexicon: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = []
    build = LEXICONS.build
    monkeypatch.setattr(LEXICONS, 'build', lambda config: built.append(config) or build(config))
    module._lexicon.cache_clear()
    module._concepts.cache_clear()
    first = FindCues(lexicon=lexicon, mood_map=MOOD_MAP)
    second = FindCues(lexicon=dict(reversed(lexicon.items())), mood_map=MOOD_MAP)
    assert built == []  # not before the first word
    assert len(pickle.dumps(first)) < 4000
    for transform in (first, second, pickle.loads(pickle.dumps(first))):
        results = dict(transcript=[TranscriptLine(0.0, 1.0, 'rage')], segment_times=[(0, 1)])
        assert len(transform(results)['cues'][0]) == 1
    assert len(built) == 1


def test_wrong_names_are_refused_at_once(lexicon: dict) -> None:
    with pytest.raises(ValueError, match="unknown mood 'joi'.*'joy'"):
        FindCues(lexicon=lexicon, mood_map=dict(classes=CLASSES, table=dict(joi='joy')))
    with pytest.raises(ValueError, match="language='xx'"):
        FindCues(lexicon=lexicon, mood_map=MOOD_MAP, language='xx')
