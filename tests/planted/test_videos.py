"""The planted data set, against its own truth, the lexicon and what PyAV decodes."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path

import av
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from mart_mm.datasets.ekman6 import Ekman6  # noqa: E402
from mart_mm.lexicon.mood_map import MoodMap  # noqa: E402
from mart_mm.lexicon.senticnet import SenticNet6Lexicon  # noqa: E402
from mart_mm.planted.layouts import build_layout  # noqa: E402
from mart_mm.planted.make import make  # noqa: E402
from mart_mm.planted.options import LAYOUTS, Options  # noqa: E402
from mart_mm.planted.plans import FilePlan  # noqa: E402
from mart_mm.planted.plant import plan  # noqa: E402
from mart_mm.planted.render_audio import CARRIERS, SAMPLE_RATE, render_sound  # noqa: E402
from mart_mm.planted.render_visual import class_energy, frame_times, render_frames  # noqa: E402
from mart_mm.planted.word_bank import (  # noqa: E402
    CLOSERS,
    LINKS,
    NAMES,
    OPENERS,
    confirmed_words,
    holds_only,
)
from tools.data.planted.make import main  # noqa: E402

CLASSES = Ekman6.METAINFO['classes']
POLARITY = Ekman6.METAINFO['polarity']
SMALL = dict(train=12, test=6, segments=2, segment_seconds=1.0, size=48, fps=8, seed=3)
#: of the truth of SMALL; whoever changes it raises VERSION in make.py, for the files change too
DIGEST = '8076409837e861193ac06ae4b5d1cc000bbe0c6f68fc435d885f6ac042bf7b8a'


@pytest.fixture(scope='module')
def lexicon() -> SenticNet6Lexicon:
    """SenticNet 6."""
    return SenticNet6Lexicon()


@pytest.fixture(scope='module')
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set."""
    return make(tmp_path_factory.mktemp('planted') / 'data', **SMALL)


@pytest.fixture(scope='module')
def truth(planted: Path) -> dict:
    """Its truth."""
    return json.loads((planted / 'truth.json').read_text())


def plans(lexicon: SenticNet6Lexicon, **options: object) -> list[FilePlan]:
    """What these options plant."""
    return plan(build_layout(Options(**options)), lexicon)


def frames_of(path: Path) -> np.ndarray:
    """All frames, brightness in [0, 1]."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format='gray') for frame in container.decode(video=0)]
    return np.stack(frames) / 255


def sound_of(path: Path) -> np.ndarray:
    """All samples of the first audio stream."""
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


def test_lists_labels_and_truth_agree(planted: Path, truth: dict) -> None:
    class_list = (planted / 'annotations/classInd.txt').read_text()
    assert class_list == ''.join(f'{i} {name}\n' for i, name in enumerate(CLASSES, start=1))
    seen = {}
    for split, count in (('train', 12), ('test', 6)):
        text = (planted / f'annotations/{split}list01.txt').read_text()
        assert text.endswith('\n')
        pairs = [line.split(' ') for line in text.splitlines()]
        assert len(pairs) == count
        for name, label in pairs:
            assert CLASSES[int(label) - 1] == name.split('/')[0]
            assert truth['videos'][name]['emotion'] == int(label) - 1
            assert (planted / f'videos/{name}.mp4').is_file()
            seen[name] = split
    assert seen == {name: video['split'] for name, video in truth['videos'].items()}
    assert truth['classes'] == list(CLASSES)
    assert truth['options']['seed'] == 3


def test_files_decode_and_blemishes_are_what_they_say(planted: Path, truth: dict) -> None:
    found = {'train': [], 'test': []}
    for name, video in truth['videos'].items():
        path, blemish = planted / f'videos/{name}.mp4', video['blemish']
        if blemish:
            found[video['split']].append(blemish)
        assert (planted / f'subtitles/{name}.srt').exists() == (blemish != 'no_subtitles')
        assert bool(video['words']) == (blemish != 'no_subtitles')
        if blemish == 'truncated':
            with pytest.raises(av.error.InvalidDataError):
                av.open(str(path))
            continue
        assert frames_of(path).shape == (16, 48, 48)
        with av.open(str(path)) as container:
            codecs = [stream.codec_context.name for stream in container.streams]
            stamps = np.array([float(f.time) for f in container.decode(video=0)])
        assert codecs == (['h264'] if blemish == 'silent' else ['h264', 'aac'])
        is_even = np.allclose(np.diff(stamps), 1 / 8, atol=1e-3)
        assert is_even == (blemish != 'variable_frame_rate')
        if blemish != 'silent':
            assert abs(len(sound_of(path)) / SAMPLE_RATE - video['duration']) < 0.15
    assert sorted(found['train']) == ['no_subtitles', 'silent', 'truncated', 'variable_frame_rate']
    assert sorted(found['test']) == ['no_subtitles', 'silent']


def test_planted_segments_have_degree_patch_and_sound(truth: dict) -> None:
    for video in truth['videos'].values():
        assert video['segments'] == [[0.0, 1.0], [1.0, 2.0]]
        for k, degree in enumerate(video['degree']):
            own = degree[video['emotion']]
            assert sum(degree) == own
            assert own == 0 or 0.4 <= own <= 1
            assert len(video['patches'][k]) == (own > 0)
            assert 1 <= len(video['distractors'][k]) <= 2
            for box in video['patches'][k] + video['distractors'][k]:
                assert all(abs(edge * 6 - round(edge * 6)) < 1e-4 for edge in box)
                assert 0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1
            if own > 0 and video['blemish'] != 'silent':
                start, end = video['sound'][k]
                assert k <= start < k + 0.5 < end <= k + 1
            else:
                assert video['sound'][k] is None
        assert sum(degree[video['emotion']] > 0 for degree in video['degree']) == 1


def test_words_are_in_their_segment_and_the_lexicon_agrees(
    truth: dict, lexicon: SenticNet6Lexicon
) -> None:
    table, kinds = MoodMap(CLASSES, Ekman6.METAINFO['mood_table']), set()
    for video in truth['videos'].values():
        emotion = video['emotion']
        # no mood of the lexicon is surprise: its positive, eager words stand in, filed under joy
        named = CLASSES.index('joy') if CLASSES[emotion] == 'surprise' else emotion
        for word in video['words']:
            start, end = video['segments'][word['segment']]
            assert start <= word['start'] < word['end'] <= end
            entry = lexicon.lookup(word['concept'])
            assert table.emotion_class(entry) == word['emotion']
            assert abs(table.degrees(entry)[word['emotion']] - word['degree']) < 1e-3
            degree = video['degree'][word['segment']][emotion]
            kinds.add(word['kind'])
            if word['kind'] == 'misleading':
                assert word['emotion'] != named
                assert word['degree'] >= 0.6
                continue
            assert word['emotion'] == named
            assert entry.polarity == POLARITY[emotion]
            if CLASSES[emotion] == 'surprise':
                assert entry.moods[0] == 'eagerness'
            assert (degree > 0) == (word['kind'] == 'true')
            assert word['kind'] == 'true' or word['degree'] >= 0.85
    assert kinds == {'true', 'misleading', 'echo'}


def test_subtitles_hold_the_words_of_the_truth_at_their_times(planted: Path, truth: dict) -> None:
    stamp = re.compile(r'(\d\d):(\d\d):(\d\d),(\d{3}) --> (\d\d):(\d\d):(\d\d),(\d{3})')
    for name, video in truth['videos'].items():
        if video['blemish'] == 'no_subtitles':
            continue
        blocks = (planted / f'subtitles/{name}.srt').read_text().strip().split('\n\n')
        assert len(blocks) == len(video['segments'])
        for k, block in enumerate(blocks):
            number, times, text = block.split('\n')
            h0, m0, s0, ms0, h1, m1, s1, ms1 = map(int, stamp.fullmatch(times).groups())
            start, end = h0 * 3600 + m0 * 60 + s0 + ms0 / 1e3, h1 * 3600 + m1 * 60 + s1 + ms1 / 1e3
            assert int(number) == k + 1
            assert k <= start < end <= k + 1
            assert 5 <= len(text.split()) <= 10
            for word in (w for w in video['words'] if w['segment'] == k):
                place = text.lower().index(word['concept'])
                assert word['word'].lower() == word['concept']
                expected = start + (end - start) * place / len(text)
                assert abs(word['start'] - expected) < 1e-4


def test_class_texture_is_in_the_planted_patch(planted: Path, truth: dict) -> None:
    inside, outside, other = [], [], []
    for name, video in truth['videos'].items():
        if video['blemish'] == 'truncated':
            continue
        frames = frames_of(planted / f'videos/{name}.mp4')
        emotion = video['emotion']
        for k, boxes in enumerate(video['patches']):
            is_planted = np.zeros((6, 6), dtype=bool)
            for left, top, right, bottom in np.round(np.array(boxes) * 6).astype(int):
                is_planted[top:bottom, left:right] = True
            if not boxes:
                continue
            picture = frames[8 * k + 2 : 8 * k + 7]
            for row, column in np.ndindex(6, 6):
                cells = picture[:, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
                own = np.mean([class_energy(cell, emotion, 8) for cell in cells])
                (inside if is_planted[row, column] else outside).append(own)
                if is_planted[row, column]:
                    wrong = (emotion + 3) % len(CLASSES)  # at right angles
                    other.append(np.mean([class_energy(cell, wrong, 8) for cell in cells]))
    assert np.mean(inside) > 3 * np.mean(outside)
    assert np.mean(inside) > 3 * np.mean(other)


def test_class_sound_is_in_the_planted_stretch(tmp_path: Path) -> None:
    options = dict(SMALL, segments=3, difficulty=0.0, blemishes=False, train=6, test=0)
    out = make(tmp_path / 'data', **options)
    videos = json.loads((out / 'truth.json').read_text())['videos']
    inside, outside = [], []
    for name, video in videos.items():
        sound = sound_of(out / f'videos/{name}.mp4')
        for k, span in enumerate(video['sound']):
            start, end = span or (k + 0.1, k + 0.9)
            piece = sound[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]
            power = np.abs(np.fft.rfft(piece)) ** 2 / len(piece)
            frequencies = np.fft.rfftfreq(len(piece), 1 / SAMPLE_RATE)
            is_near = np.abs(frequencies / CARRIERS[video['emotion']] - 1) < 0.12
            (inside if span else outside).append(power[is_near].mean())
    assert np.median(inside) > 10 * np.median(outside)


def test_same_seed_same_files_whatever_the_processes(planted: Path, tmp_path: Path) -> None:
    again = make(tmp_path / 'again', jobs=2, **SMALL)
    assert (again / 'truth.json').read_bytes() == (planted / 'truth.json').read_bytes()
    subtitles = sorted(planted.glob('subtitles/*/*.srt'))
    assert len(subtitles) == 16
    for path in subtitles:
        assert (again / path.relative_to(planted)).read_bytes() == path.read_bytes()
    videos = json.loads((planted / 'truth.json').read_text())['videos']
    for name in [name for name, video in videos.items() if not video['blemish']][:3]:
        one, other = planted / f'videos/{name}.mp4', again / f'videos/{name}.mp4'
        assert one.read_bytes() == other.read_bytes()
        np.testing.assert_array_equal(sound_of(one), sound_of(other))


def test_same_plan_draws_the_same(lexicon: SenticNet6Lexicon) -> None:
    options = Options(**SMALL)
    video = plans(lexicon, **SMALL)[-1]
    times, _ = frame_times(video, options)
    pictures = [render_frames(video, options, times) for _ in range(2)]
    np.testing.assert_array_equal(*pictures)
    assert pictures[0].shape == (16, 48, 48, 3)
    sounds = [render_sound(video, options) for _ in range(2)]
    np.testing.assert_array_equal(*sounds)


def test_another_seed_is_another_truth(lexicon: SenticNet6Lexicon) -> None:
    one, other = (plans(lexicon, **dict(SMALL, seed=seed)) for seed in (3, 4))
    assert [p.video for p in one] == [p.video for p in other]
    assert all(
        a.records[0].segments != b.records[0].segments for a, b in zip(one, other, strict=True)
    )
    # a video does not depend on how many there are
    fewer = plans(lexicon, **dict(SMALL, train=7, blemishes=False))
    more = plans(lexicon, **dict(SMALL, train=12, blemishes=False))
    assert fewer[:7] == more[:7]


def test_the_truth_of_ekman6_stays_as_it_is(truth: dict) -> None:
    text = json.dumps(truth['videos'], sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest() == DIGEST


def test_second_call_does_nothing_and_nothing_is_replaced_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    options = dict(train=1, test=1, segments=1, size=24, fps=4)
    out = make(tmp_path / 'data', **options)
    files = {path: path.stat().st_mtime_ns for path in out.rglob('*')}
    make(out, **options)
    assert {path: path.stat().st_mtime_ns for path in out.rglob('*')} == files
    with pytest.raises(FileExistsError, match='--force'):
        make(out, **dict(options, seed=1))
    make(out, force=True, **dict(options, seed=1))
    assert json.loads((out / 'truth.json').read_text())['options']['seed'] == 1

    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['options'].pop('layout') == 'ekman6'
    (out / 'manifest.json').write_text(json.dumps(manifest))
    make(out, **dict(options, seed=1))  # planted before there were layouts
    (out / 'manifest.json').write_text(json.dumps(dict(manifest, is_complete=False)))
    (out / 'truth.json').unlink()
    make(out, **dict(options, seed=1))  # an interrupted run is done again
    assert (out / 'truth.json').is_file()

    foreign = tmp_path / 'foreign'
    foreign.mkdir()
    (foreign / 'truth.json').write_text('mine')
    with pytest.raises(FileExistsError, match='holds no planted data set'):
        make(foreign, force=True, **options)
    assert (foreign / 'truth.json').read_text() == 'mine'
    assert main(['--out', str(foreign), '--train', '1']) == 2
    assert 'choose another folder' in capsys.readouterr().err


@pytest.mark.parametrize('layout', LAYOUTS)
def test_word_bank_serves_every_class(lexicon: SenticNet6Lexicon, layout: str) -> None:
    classes = build_layout(Options(layout=layout)).classes
    wordless = {name for name in classes.names if name.lower() in ('neutral', 'other')}
    for name, words in zip(classes.names, confirmed_words(classes, lexicon), strict=True):
        if name in wordless:
            assert not words
            continue
        assert len(words) >= 30
        assert words[0].degree <= 0.5 and words[-1].degree >= 0.95


def test_fillers_are_unknown(lexicon: SenticNet6Lexicon) -> None:
    fillers = [
        part.format(name=name) for part in (*OPENERS, *LINKS, *CLOSERS) for name in NAMES[:2]
    ]
    assert [text for text in fillers if not holds_only(text, [], lexicon)] == []
    assert not holds_only('So Paul said party', [], lexicon)
    assert holds_only('So Paul said party', ['party'], lexicon)


@pytest.mark.parametrize(
    ('options', 'match'),
    [
        (dict(size=50), 'size=50'),
        (dict(difficulty=1.5), 'difficulty=1.5'),
        (dict(train=0, test=0), 'nothing to plant'),
        (dict(segment_seconds=0.1), 'segment_seconds=0.1'),
        (dict(colour=1), 'unknown options'),
        (dict(layout='ekman7'), "layout='ekman7'.*affwild2"),
        (dict(layout='affwild2', segment_seconds=0.7), 'whole number'),
        (dict(layout='iemocap', segments=9), 'segments=9'),
        (dict(jobs=0), 'jobs=0'),
    ],
)
def test_options_out_of_range(tmp_path: Path, options: dict, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        make(tmp_path / 'data', **options)
    assert not (tmp_path / 'data').exists()
