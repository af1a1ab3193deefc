"""Figures of hand-made subtitles, counted a second time by hand."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from mart_mm.apis.lexicon_report import lexicon_report
from mart_mm.apis.lexicon_tables import draw, moods_by_label, to_json, to_text
from mart_mm.apis.record_times import segment_times
from mart_mm.datasets.transforms.video import SampleSegments
from mart_mm.errors import MediaError
from mart_mm.utils.media_writer import write_video
from tools.analysis.lexicon_report import main

FPS = 5
#: concept -> polarity, value, moods
LEXICON = {
    'glad': ('positive', 0.8, 'joy'),
    'bad luck': ('negative', -0.5, 'sadness,fear'),
    'luck': ('positive', 0.3, 'joy'),
    'fire': ('negative', -0.4, 'fear'),
    'table': ('neutral', 0.0, ''),
}
#: video -> label, seconds, lines (start, end, text); all words of a line lie in one segment of 2 s
VIDEOS = {
    'a': ('joy', 4, [(0.0, 2.0, 'I am glad, so glad'), (2.0, 4.0, 'What bad luck with the table')]),
    'b': ('fear', 6, [(0.0, 2.0, 'Fire! Run!'), (4.0, 6.0, 'Luck and fire; bad. Luck')]),
    'c': ('joy', 2, []),
    'd': ('fear', 2, [(0.0, 1.0, 'We run home')]),
}
#: what a reader finds: concepts and unknown words of content, by video and line
FOUND = {
    'a': [(['glad', 'glad'], []), (['bad luck', 'table'], [])],
    'b': [(['fire'], ['run']), (['luck', 'fire', 'luck'], ['bad'])],
    'd': [([], ['run', 'home'])],
}


def clock(seconds: float) -> str:
    return f'00:00:{int(seconds):02},{round(seconds % 1 * 1000):03}'


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('lexicon')
    rows = [
        f'{concept}\t{sign}\t{value}\t{moods}' for concept, (sign, value, moods) in LEXICON.items()
    ]
    (folder / 'words.tsv').write_text('\n'.join(['concept\tpolarity\tvalue\tmoods', *rows]) + '\n')
    for name, (_, seconds, lines) in VIDEOS.items():
        pictures = np.zeros((seconds * FPS, 16, 16, 3), np.uint8)
        write_video(folder / f'{name}.mp4', pictures, FPS)
        blocks = [
            f'{i}\n{clock(start)} --> {clock(end)}\n{text}\n'
            for i, (start, end, text) in enumerate(lines, 1)
        ]
        if blocks:
            (folder / f'{name}.srt').write_text('\n'.join(blocks))
    return folder


def config(folder: Path, names: str, num_segments: int = 1, max_cues: int = 8) -> Config:
    """A config whose training split holds these videos, and one that does not exist."""
    rows = [f'{name}.mp4,{VIDEOS[name][0] if name in VIDEOS else "joy"},train' for name in names]
    (folder / 'm.csv').write_text('\n'.join(['video,label,split', *rows]) + '\n')
    lexicon = dict(type='FileLexicon', path=str(folder / 'words.tsv'))
    pipeline = [
        dict(type='SampleSegments', num_segments=num_segments, clip_len=2),
        dict(type='LoadFrames'),
        dict(type='LoadTranscript'),
        dict(type='FindCues', lexicon=lexicon),
        dict(type='PackAffectiveInputs', max_cues=max_cues),
    ]
    data = dict(
        type='ManifestDataset',
        ann_file=str(folder / 'm.csv'),
        data_root='',
        split='train',
        classes=['joy', 'fear'],
        polarity=[1, -1],
        mood_table=dict(joy='joy', fear='fear'),
        pipeline=pipeline,
    )
    text = f'train_dataloader = dict(dataset={data!r})\n'
    (folder / 'config.py').write_text(text)
    return Config.fromfile(folder / 'config.py')


@pytest.mark.parametrize('is_own', [False, True])
def test_the_packed_lexicon_lies_in_the_cache(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_own: bool
) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'home'))
    cfg, cache = config(folder, 'a'), dict(folder=str(tmp_path / 'cache'))
    if is_own:
        cfg.train_dataloader.dataset.cache = cache
    else:
        cfg.cache = cache
    lexicon_report(cfg, 'train')
    assert len(list((tmp_path / 'cache/lexicons').iterdir())) == 1
    assert not (tmp_path / 'home').exists()
    cfg.train_dataloader.dataset.cache = None
    lexicon_report(cfg, 'train')
    assert len(list((tmp_path / 'home/mart_mm/lexicons').iterdir())) == 1


def test_figures_equal_a_count_by_hand(folder: Path) -> None:
    report = lexicon_report(config(folder, 'abcde'), 'train')
    concepts, unknown, words, inside = Counter(), Counter(), 0, 0
    classes, moods, signs = Counter(), Counter(), Counter()
    class_of = dict(joy='joy', fear='fear', sadness=None)
    for name, lines in FOUND.items():
        label = VIDEOS[name][0]
        for _, _, text in VIDEOS[name][2]:
            words += len(text.split())
        for found, others in lines:
            unknown.update(others)
            for concept in found:
                concepts[concept] += 1
                inside += len(concept.split())
                sign, _, tags = LEXICON[concept]
                signs[dict(negative=-1, neutral=0, positive=1)[sign]] += 1
                tags = [tag for tag in tags.split(',') if tag]
                moods[label, tags[0] if tags else 'no class'] += 1
                speaks = [class_of[tag] for tag in tags if class_of[tag]]
                classes[label, speaks[0] if speaks else 'no class'] += 1
    assert report.concepts == concepts and report.unknown == unknown
    assert (report.words, report.words_in_concepts) == (words, inside)
    assert report.polarity == signs
    names = ['joy', 'fear', 'no class']
    for row, label in enumerate(['joy', 'fear']):
        assert report.class_counts[row].tolist() == [classes[label, name] for name in names]
        assert report.mood_counts[label] == Counter(
            {mood: n for (own, mood), n in moods.items() if own == label}
        )
    assert report.videos == 4 and report.seconds == pytest.approx(14)
    assert report.without_transcript == ['c.mp4'] and report.sources == Counter(sidecar=3)
    assert list(report.unreadable) == ['e.mp4'] and 'does not exist' in report.unreadable['e.mp4']
    shares = report.shares()
    assert shares['videos_with_cue'] == 2 / 4 and shares['segments_with_cue'] == 2 / 4
    assert shares['words_in_concepts'] == pytest.approx(inside / words)
    assert shares['concepts_per_minute'] == pytest.approx(concepts.total() / (14 / 60))
    assert shares['several_words'] == pytest.approx(concepts['bad luck'] / concepts.total())
    assert shares['negative'] == pytest.approx(signs[-1] / concepts.total())
    named = [(label, name) for (label, name), n in classes.items() for _ in range(n)
             if name != 'no class']  # fmt: skip
    hits = [a == b for a, _ in named for _, b in named]  # every label beside every class
    assert shares['of_own_class'] == pytest.approx(sum(a == b for a, b in named) / len(named))
    assert shares['of_own_class_by_chance'] == pytest.approx(sum(hits) / len(hits))


def test_segments_are_those_of_the_pipeline(folder: Path) -> None:
    report = lexicon_report(config(folder, 'b', num_segments=3), 'train')
    assert report.segments == 3 and report.segments_with_cue == 2
    assert report.concepts == Counter(fire=2, luck=2)
    # cut in the middle of a line: "bad luck" of the first video falls apart over two segments
    whole = lexicon_report(config(folder, 'a', num_segments=2), 'train').concepts
    cut = lexicon_report(config(folder, 'a', num_segments=3), 'train').concepts
    assert whole['bad luck'] == 1 and cut['bad luck'] == 0 and cut['luck'] == 1
    few = lexicon_report(config(folder, 'a', max_cues=3), 'train')
    assert few.cues == 4 and few.cues_left_out == 1


@pytest.mark.parametrize(
    'times', [{}, dict(start=0.5, end=3.0), dict(start_frame=5, stop_frame=15)]
)
def test_times_without_frames_are_those_with_frames(folder: Path, times: dict) -> None:
    record = dict(video_path=str(folder / 'a.mp4'), **times)
    step = SampleSegments(num_segments=4, clip_len=2)
    results = step(dict(record, rng=np.random.default_rng(0)))
    results['video_reader'].close()
    np.testing.assert_allclose(segment_times(record, 4), results['segment_times'], atol=1e-3)
    with pytest.raises(MediaError, match='starts at 9.00 s of 4.00 s'):
        segment_times(dict(video_path=str(folder / 'a.mp4'), start=9.0), 4)


def test_text_json_and_pictures(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cfg = config(folder, 'abcd')
    report = lexicon_report(cfg, 'train')
    assert main([cfg.filename, '--json', str(tmp_path / 'a.json'), '--out', str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert to_text(report) in shown
    assert 'words           21, 42.9% part of a concept' in shown
    assert 'most frequent unknown words: run 2, bad 1, home 1' in shown
    (content,) = json.loads((tmp_path / 'a.json').read_text())
    assert content == json.loads(json.dumps(to_json(report)))
    assert content['concepts'] == dict(fire=2, glad=2, luck=2) | {'bad luck': 1, 'table': 1}
    assert {path.name for path in tmp_path.glob('*.png')} == {
        'lexicon_train_classes.png',
        'lexicon_train_moods.png',
    }
    moods, counts = moods_by_label(report)
    assert (moods, counts) == (
        ['joy', 'fear', 'sadness', 'no class'],
        [[2, 0, 1, 1], [2, 2, 0, 0]],
    )
    assert len(draw(report, tmp_path / 'again')) == 2
    assert main([cfg.filename, '--split', 'test']) == 2
    assert 'has no test split, it has train' in capsys.readouterr().err


def test_a_pipeline_without_words_is_told(folder: Path) -> None:
    cfg = config(folder, 'a')
    cfg.train_dataloader.dataset.pipeline.pop(3)
    with pytest.raises(ValueError, match='the train pipeline has no FindCues'):
        lexicon_report(cfg, 'train')
