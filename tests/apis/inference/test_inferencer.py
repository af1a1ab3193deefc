"""What the inferencer says against plain loops over the model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import load_checkpoint

from mart_mm.apis import MARTInferencer, VideoArrays
from mart_mm.apis.splits import build_split
from mart_mm.datasets.base import build_transforms
from mart_mm.datasets.collate import affective_collate
from mart_mm.datasets.media.audio_reader import read_audio
from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.registry import MODELS
from mart_mm.structures.affective_data_sample import AffectiveDataSample
from mart_mm.structures.emotion_report import DROPPED_AT, EmotionReport
from mart_mm.zoo.index import ModelEntry

FPS, RATE = 8, 16000


@pytest.fixture(scope='module')
def inferencer(checkpoint: Path) -> MARTInferencer:
    return MARTInferencer(checkpoint, device='cpu', show_progress=False)


@pytest.fixture(scope='module')
def plainly(mart_config: Path, checkpoint: Path) -> object:
    """The whole model of the config, pretext and all, on a record read by the config's pipeline."""
    cfg = Config.fromfile(mart_config)
    recognizer = MODELS.build(cfg.model)
    load_checkpoint(recognizer, str(checkpoint), map_location='cpu', strict=True)
    recognizer.eval()
    steps = build_transforms(cfg.test_dataloader.dataset.pipeline)
    mood_map = build_split(cfg, 'train').mood_map

    def predict(path: Path, **record: object) -> AffectiveDataSample:
        results = dict(
            video_id=path.name, video_path=str(path), mood_map=mood_map,
            rng=np.random.default_rng(0), **record,
        )  # fmt: skip
        for step in steps:
            results = step(results)
        results['data_samples'].set_metainfo(dict(failures=[]))
        data = recognizer.data_preprocessor(affective_collate([results]), False)
        return recognizer.predict(**data)[0]

    return predict


def distributions(report: EmotionReport) -> np.ndarray:
    return np.array([segment.distribution for segment in report.segments])


def test_one_window_is_the_test_pipeline(
    inferencer: MARTInferencer, plainly: object, videos: Path
) -> None:
    report, expected = inferencer.report(videos / 'one.mp4'), plainly(videos / 'one.mp4')
    np.testing.assert_allclose(report.scores, expected.pred_scores, atol=1e-6)
    np.testing.assert_allclose(distributions(report), expected.temporal_scores, atol=1e-6)
    assert report.emotion == report.classes[expected.pred_emotion]
    assert report.sentiment == expected.pred_sentiment
    assert report.has_sound and report.transcript_source is None and report.words == []
    assert report.warnings == []


@pytest.mark.parametrize('batch_size', [1, 3])
def test_two_windows_against_a_plain_loop(
    inferencer: MARTInferencer, plainly: object, videos: Path, batch_size: int
) -> None:
    path = videos / 'two.mp4'
    report = inferencer.report(path, batch_size=batch_size)
    expected = [plainly(path, start=start, end=start + 6.0) for start in (0.0, 6.0)]
    mean = (expected[0].pred_scores + expected[1].pred_scores) / 2
    np.testing.assert_allclose(report.scores, mean, atol=1e-6)
    course = torch.cat([sample.temporal_scores for sample in expected]).numpy()
    np.testing.assert_allclose(distributions(report), course, atol=1e-6)
    assert np.ptp(course, axis=0).max() > 0.05  # the windows differ
    assert [segment.start for segment in report.segments] == [float(s) for s in range(12)]
    assert report.segments[-1].end == report.duration == 12.0
    strongest = course.max(1)
    for segment, shares in zip(report.segments, course, strict=True):
        assert segment.emotion == report.classes[int(shares.argmax())]
        assert segment.degree == pytest.approx(shares.max() / strongest.max())
        mass = {sign: shares[np.array(report.polarity) == sign].sum() for sign in (-1, 0, 1)}
        assert segment.sentiment == max(mass, key=mass.get)
    assert report.transcript_source == 'sidecar'
    texts = [text for sample in expected for text in sample.texts]
    assert [segment.text for segment in report.segments] == texts
    cues = [
        (cue | dict(segment=6 * half + number))
        for half, sample in enumerate(expected)
        for number, segment in enumerate(sample.cues)
        for cue in segment
    ]
    assert len(report.words) == len(cues) > 3
    for word, cue in zip(report.words, cues, strict=True):
        assert (word.word, word.concept, word.segment) == (
            cue['word'], cue['concept'], cue['segment'],
        )  # fmt: skip
        assert (word.level, word.dropped) == (cue['level'], DROPPED_AT[cue['level']])
        assert word.start == pytest.approx(cue['start'], abs=1e-3)
        assert (word.polarity, word.affect) == (cue['polarity'], cue['degrees'])
        assert report.segments[word.segment].start <= (word.start + word.end) / 2
    assert len({word.level for word in report.words}) > 1


def test_windows_are_weighted_by_their_length(
    inferencer: MARTInferencer, plainly: object, videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, edges = videos / 'two.mp4', [(0.0, 3.0), (3.0, 12.0)]
    from mart_mm.apis.inference.windows import Window

    windows = [Window(*edge) for edge in edges]
    monkeypatch.setattr(inferencer.pipeline, 'cut', lambda opened, seconds: windows)
    scores = [plainly(path, start=a, end=b).pred_scores for a, b in edges]
    expected = 0.25 * scores[0] + 0.75 * scores[1]
    np.testing.assert_allclose(inferencer.report(path).scores, expected, atol=1e-6)


def test_a_checkpoint_needs_nothing_else(
    checkpoint: Path, inferencer: MARTInferencer, videos: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    shutil.copy(checkpoint, tmp_path / 'moved.pth')
    shutil.copy(videos / 'one.mp4', tmp_path / 'a video.mp4')
    monkeypatch.chdir(tmp_path)
    moved = MARTInferencer('moved.pth', device='cpu', show_progress=False)
    report = moved.report('a video.mp4')
    assert report.scores == inferencer.report(videos / 'one.mp4').scores
    assert report.model['checkpoint'] == 'moved.pth' and len(report.model['sha256']) == 16
    assert report.model['name'] == 'mart_mbt_planted_tiny'
    assert moved.segment_seconds == pytest.approx(1.0, abs=0.01)  # of the training data


def test_config_with_weights(
    checkpoint: Path, mart_config: Path, inferencer: MARTInferencer, videos: Path
) -> None:
    by_config = MARTInferencer(mart_config, checkpoint, device='cpu', show_progress=False)
    scores = by_config.report(videos / 'one.mp4').scores
    assert scores == inferencer.report(videos / 'one.mp4').scores


def test_names_of_the_index(
    checkpoint: Path, mart_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 'mart_mbt_ekman6' in MARTInferencer.list_models()
    with pytest.raises(FileNotFoundError, match='did you mean .*mart_mbt_ekman6'):
        MARTInferencer('mart_mbt_ekmann6', checkpoint)
    with pytest.raises(ValueError, match='no weights: train it'):
        MARTInferencer('mart_mbt_ekman6')
    entry = ModelEntry('tiny', ('small',), 'MART', mart_config, 'planted', str(checkpoint))
    monkeypatch.setattr('mart_mm.zoo.index.read_index', lambda: (entry,))
    for name in ('tiny', 'SMALL'):
        inferencer = MARTInferencer(name, device='cpu', show_progress=False)
        assert inferencer.model_info['checkpoint'] == checkpoint.name


def test_a_model_without_pretext_verifies_nothing(supervised: Path, videos: Path) -> None:
    report = MARTInferencer(supervised, device='cpu', show_progress=False).report(
        videos / 'two.mp4'
    )
    assert len(report.words) > 3
    assert {(word.level, word.dropped) for word in report.words} == {(None, None)}


def test_streams_that_are_missing_take_no_part(
    inferencer: MARTInferencer, plainly: object, videos: Path
) -> None:
    report = inferencer.report(videos / 'bare.mp4')
    assert not report.has_sound and report.words == [] and report.transcript_source is None
    assert {segment.text for segment in report.segments} == {''}
    expected = [plainly(videos / 'bare.mp4', start=s, end=s + 6.0).pred_scores for s in (0.0, 6.0)]
    np.testing.assert_allclose(report.scores, sum(expected) / 2, atol=1e-6)


def test_a_given_transcript_comes_first(
    inferencer: MARTInferencer, videos: Path, tmp_path: Path
) -> None:
    path = tmp_path / 'given.vtt'
    path.write_text('WEBVTT\n\n00:01.000 --> 00:02.000\nhappiness\n')
    report = inferencer.report(videos / 'two.mp4', transcript=path)
    assert report.transcript_source == 'given'
    assert [word.word for word in report.words] == ['happiness']
    with pytest.raises(FileNotFoundError, match='no such transcript'):
        inferencer.report(videos / 'two.mp4', transcript=tmp_path / 'absent.srt')


def test_arrays_equal_their_file(inferencer: MARTInferencer, videos: Path) -> None:
    path = videos / 'two.mp4'
    with VideoReader(path) as reader:
        frames = reader.read(range(reader.num_frames))
    said = [(0.5, 2.5, 'What a joyful and wonderful day')]
    arrays = VideoArrays(frames, FPS, read_audio(str(path)), RATE, said, name='two')
    report, file = inferencer.report(arrays), inferencer.report(path)
    np.testing.assert_allclose(distributions(report), distributions(file), atol=0.02)
    np.testing.assert_allclose(report.scores, file.scores, atol=0.02)
    assert report.has_sound and report.transcript_source == 'given' and report.video == 'two'
    spoken = [word.word for word in file.words if word.start < 3]
    assert [word.word for word in report.words] == spoken
    silent = inferencer.report(dict(frames=frames, fps=FPS))
    assert not silent.has_sound and silent.words == [] and silent.video == ''


def test_a_broken_video_ends_nothing(
    inferencer: MARTInferencer, videos: Path, tmp_path: Path
) -> None:
    names = ['broken.mp4', 'one.mp4', 'absent.mp4', 'bare.mp4']
    inputs = [videos / name for name in names]
    results = inferencer(inputs, out_dir=tmp_path, pred_out_file=tmp_path / 'all.json')
    assert [entry['video'] for entry in results['predictions']] == names
    failed = [entry.get('failed') for entry in results['predictions']]
    assert 'cannot be read as video' in failed[0] and 'does not exist' in failed[2]
    assert failed[1] is failed[3] is None
    assert [Path(path).name for path, _ in results['failures']] == ['broken.mp4', 'absent.mp4']
    assert json.loads((tmp_path / 'all.json').read_text()) == results['predictions']
    written = EmotionReport.load(tmp_path / 'one.emotion.json')
    assert written.to_dict() == results['predictions'][1]
    assert results['visualization'] == [
        None,
        tmp_path / 'one.emotion.png',
        None,
        tmp_path / 'bare.emotion.png',
    ]
    assert (tmp_path / 'one.emotion.png').stat().st_size > 10_000


def test_samples_in_place_of_reports(inferencer: MARTInferencer, videos: Path) -> None:
    results = inferencer([videos / 'two.mp4', videos / 'broken.mp4'], return_datasamples=True)
    sample, failed = results['predictions']
    assert sample.temporal_scores.shape == (12, 6) and sample.segment_times.shape == (12, 2)
    assert sample.pred_scores.sum() == pytest.approx(1.0, abs=1e-5)
    assert 'cannot be read as video' in failed.failed and 'pred_scores' not in failed


def test_progress_is_told(inferencer: MARTInferencer, videos: Path) -> None:
    told: list[tuple[float, str]] = []
    inferencer.report(
        videos / 'two.mp4', on_progress=lambda share, what: told.append((share, what))
    )
    assert told == [
        (0.0, 'opening'), (0.5, '1 of 2 windows'), (1.0, '2 of 2 windows'), (1.0, 'done'),
    ]  # fmt: skip


def test_segments_of_another_length(checkpoint: Path, videos: Path) -> None:
    finer = MARTInferencer(checkpoint, device='cpu', show_progress=False, segment_seconds=0.5)
    report = finer.report(videos / 'two.mp4')
    assert len(report.segments) == 24 and report.segments[5].end == 3.0
