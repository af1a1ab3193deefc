from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from mart_mm.datasets.cache import FileCache
from mart_mm.datasets.transforms import cues as module
from mart_mm.datasets.transforms.cues import FindCues
from mart_mm.lexicon.affect import AFFECT_DIMS
from mart_mm.lexicon.mood_map import MoodMap
from mart_mm.lexicon.transcript import TimedWord, TranscriptLine
from mart_mm.registry import LEXICONS, TRANSFORMS

CLASSES = ['anger', 'fear', 'joy', 'surprise']
MOOD_MAP = MoodMap(CLASSES, dict(anger='anger', fear='fear', joy='joy', calmness='joy'))


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


def cues_of(
    lexicon: dict,
    lines: list[tuple],
    segments: list,
    *,
    mood_map: MoodMap = MOOD_MAP,
    cache: FileCache | None = None,
    **options: object,
) -> dict:
    transform = TRANSFORMS.build(dict(type='FindCues', lexicon=lexicon, **options))
    return transform(
        dict(
            transcript=[TranscriptLine(*line) for line in lines],
            segment_times=np.array(segments, dtype=float),
            mood_map=mood_map,
            cache=cache,
        )
    )


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
    first = FindCues(lexicon=lexicon)
    second = FindCues(lexicon=dict(reversed(lexicon.items())))
    assert built == []  # not before the first word
    assert len(pickle.dumps(first)) < 4000
    for transform in (first, second, pickle.loads(pickle.dumps(first))):
        results = dict(
            transcript=[TranscriptLine(0.0, 1.0, 'rage')], segment_times=[(0, 1)], mood_map=MOOD_MAP
        )
        assert len(transform(results)['cues'][0]) == 1
    assert len(built) == 1


def test_unknown_language_is_refused_at_once(lexicon: dict) -> None:
    with pytest.raises(ValueError, match="language='xx'"):
        FindCues(lexicon=lexicon, language='xx')


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were searched."""
    texts, find = [], module.find_concepts
    monkeypatch.setattr(
        module,
        'find_concepts',
        lambda text, *args, **options: texts.append(text) or find(text, *args, **options),
    )
    return texts


LINES = [(0.0, 2.5, 'So happy birthday RAGE wow'), (3.0, 4.0, 'Ünglück — it is over'), (5, 6, '')]
SEGMENTS = [(0, 2), (2, 4), (4, 6)]


def test_cache_gives_the_same_without_a_search(
    lexicon: dict, tmp_path: Path, searched: list[str]
) -> None:
    cache = FileCache(str(tmp_path / 'cache'))
    expected = cues_of(lexicon, LINES, SEGMENTS)
    assert searched and any(expected['cues'])
    first = cues_of(lexicon, LINES, SEGMENTS, cache=cache)
    searched.clear()
    again = cues_of(lexicon, LINES, SEGMENTS, cache=FileCache(str(tmp_path / 'cache')))
    assert not searched
    for results in (first, again):
        assert results['texts'] == expected['texts']
        assert repr(results['cues']) == repr(expected['cues'])  # types too
        assert results['class_has_words'].tolist() == expected['class_has_words'].tolist()


def test_cache_tells_apart_all_that_cues_follow_from(
    lexicon: dict, tmp_path: Path, searched: list[str]
) -> None:
    cache = FileCache(str(tmp_path / 'cache'))
    rows = json.loads(Path(lexicon['path']).read_text())
    (tmp_path / 'other.json').write_text(json.dumps(rows[1:]))
    timed = (0.0, 2.5, LINES[0][2], (TimedWord('rage', 0.0, 2.0, (18, 22)),))
    variants = [
        dict(),
        dict(lines=[(0.0, 2.4, LINES[0][2]), *LINES[1:]]),
        dict(lines=[(0.0, 2.5, LINES[0][2] + '!'), *LINES[1:]]),
        dict(lines=[timed, *LINES[1:]]),
        dict(segments=[(0, 2), (2, 4.5), (4.5, 6)]),
        dict(keep_function_words=True),
        dict(language='de'),
        dict(mood_map=MoodMap(CLASSES, dict(anger='fear'))),
        dict(mood_map=MoodMap(CLASSES[::-1], dict(anger='anger', fear='fear', joy='joy'))),
        dict(lexicon=dict(type='FileLexicon', path=str(tmp_path / 'other.json'))),
    ]
    for variant in variants:
        given = dict(lexicon=lexicon, lines=LINES, segments=SEGMENTS) | variant
        searched.clear()
        kept = cues_of(**given, cache=cache)
        assert searched, variant
        assert repr(kept['cues']) == repr(cues_of(**given)['cues'])


def test_cache_follows_a_changed_lexicon_file(lexicon: dict, tmp_path: Path) -> None:
    cache, path = FileCache(str(tmp_path / 'cache')), Path(lexicon['path'])
    assert cues_of(lexicon, LINES, SEGMENTS, cache=cache)['cues'][0]
    path.write_text(json.dumps(json.loads(path.read_text())[-1:]))
    module._lexicon.cache_clear()  # another run
    assert cues_of(lexicon, LINES, SEGMENTS, cache=cache)['cues'][0] == []


def test_packed_lexicon_lies_in_the_cache_folder(lexicon: dict, tmp_path: Path) -> None:
    cache = FileCache(str(tmp_path / 'cache'))
    expected = cues_of(lexicon, LINES, SEGMENTS)['cues']
    assert cues_of(lexicon, LINES, SEGMENTS, cache=cache)['cues'] == expected
    assert len(list(cache.folder.glob('lexicons/lexicon-*.lexicon'))) == 1
    own = lexicon | dict(folder=str(tmp_path / 'own'))
    assert cues_of(own, LINES, SEGMENTS, cache=cache)['cues'] == expected
    assert len(list(tmp_path.glob('own/lexicons/lexicon-*.lexicon'))) == 1


def test_damaged_entry_is_found_again(lexicon: dict, tmp_path: Path, searched: list[str]) -> None:
    cache = FileCache(str(tmp_path / 'cache'))
    expected = cues_of(lexicon, LINES, SEGMENTS, cache=cache)['cues']
    (path,) = cache.folder.rglob('*.entry')
    path.write_bytes(path.read_bytes()[:-3])
    searched.clear()
    assert cues_of(lexicon, LINES, SEGMENTS, cache=cache)['cues'] == expected
    assert searched
