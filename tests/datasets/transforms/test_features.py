from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mart_mm.datasets.manifest import ManifestDataset
from mart_mm.datasets.transforms.features import LoadFeatures, bin_means
from mart_mm.engine.hooks.failure_report import FailureReportHook
from mart_mm.errors import MediaError, TooManyFailuresError
from mart_mm.lexicon.transcript import TranscriptLine


def test_bins_hold_means_and_empty_ones_the_nearest() -> None:
    rng = np.random.default_rng(0)
    empty = 0
    for _ in range(100):
        count, length = int(rng.integers(1, 20)), int(rng.integers(1, 30))
        times, values = np.sort(rng.uniform(0, 10, length)), rng.standard_normal((length, 3))
        bins = np.linspace(*np.sort(rng.uniform(0, 10, 2)), count + 1)
        found = bin_means(values, times, bins)
        for b in range(count):
            inside = [v for t, v in zip(times, values, strict=True) if bins[b] <= t < bins[b + 1]]
            expected = sum(inside) / len(inside) if inside else None
            if not inside:
                empty += 1
                middle = (bins[b] + bins[b + 1]) / 2
                nearest = min(range(length), key=lambda i: (abs(times[i] - middle), i))
                expected = values[nearest]
            np.testing.assert_allclose(found[b], expected, rtol=1e-5, atol=1e-6)
    assert empty > 100


def load(results: dict, **options: object) -> dict:
    options = (
        dict(num_segments=2, dims=dict(visual=3, audio=2), num_tokens=dict(visual=2, audio=1))
        | options
    )
    return LoadFeatures(**options)(dict(video_id='a') | results)


def test_missing_modality_is_zero_and_said(tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.save(tmp_path / 'v.npy', values)
    results = load(dict(features=dict(visual=str(tmp_path / 'v.npy')), end=8.0))
    np.testing.assert_array_equal(results['segment_times'], [[0, 4], [4, 8]])
    np.testing.assert_array_equal(results['visual_features'], values.reshape(2, 2, 3))
    assert results['has_visual'] and not results['has_audio']
    assert results['audio_features'].shape == (2, 1, 2) and not results['audio_features'].any()
    with pytest.raises(MediaError, match='no file of features'):
        load(dict(features={}))
    with pytest.raises(MediaError, match='3 dimensions where the config says 5'):
        load(
            dict(features=dict(visual=str(tmp_path / 'v.npy'))),
            dims=dict(visual=5, audio=2),
        )


def test_what_tells_the_duration(tmp_path: Path) -> None:
    np.save(tmp_path / 'v.npy', np.ones((10, 3)))
    np.savez(tmp_path / 'a.npz', features=np.ones((4, 2)), times=np.array([1.0, 3, 5, 7]))
    visual, audio = (str(tmp_path / name) for name in ('v.npy', 'a.npz'))
    said = [TranscriptLine(0.0, 30.0, 'x')]

    def end(**results: object) -> float:
        options = results.pop('options', {})
        return load(results, **options)['segment_times'][-1, 1]

    assert end(features=dict(visual=visual)) == 1.0
    assert end(features=dict(visual=visual), options=dict(fps=dict(visual=5))) == 2.0
    assert end(features=dict(visual=visual, audio=audio)) == 8.0  # half a step behind the last
    assert end(features=dict(visual=visual, audio=audio), transcript=said) == 30.0
    assert end(features=dict(visual=visual, audio=audio), transcript=said, end=6) == 6.0
    part = load(dict(features=dict(audio=audio), start=2.0, end=6.0))
    np.testing.assert_array_equal(part['segment_times'], [[2, 4], [4, 6]])


def test_sequences_without_times_belong_to_the_record(tmp_path: Path) -> None:
    """Times and rates count from the start of the video, what has neither is the record's own."""
    values = np.arange(12, dtype=np.float32).reshape(12, 1).repeat(3, 1)
    np.save(tmp_path / 'v.npy', values)
    np.savez(tmp_path / 't.npz', features=values, times=np.arange(12) + 0.5)
    part = dict(start=4.0, end=8.0)
    options = dict(num_tokens=dict(visual=2, audio=1))

    def tokens(name: str, **more: object) -> list[float]:
        record = dict(features=dict(visual=str(tmp_path / name)), **part)
        return load(record, **options, **more)['visual_features'][..., 0].ravel().tolist()

    assert tokens('v.npy') == [1.0, 4.0, 7.0, 10.0]  # all twelve, three in each bin
    assert tokens('t.npz') == [4.0, 5.0, 6.0, 7.0]  # those of seconds 4 to 8
    assert tokens('v.npy', fps=dict(visual=1.0)) == [4.0, 5.0, 6.0, 7.0]


def test_words_and_vectors_of_one_time_meet_in_a_segment(tmp_path: Path) -> None:
    """Through the pipeline of a data set, up to what the collate function takes."""
    values = np.zeros((40, 3), dtype=np.float32)
    values[30] = 1.0  # at 7.5 s to 7.75 s of 10
    np.save(tmp_path / 'v.npy', values)
    lines = '1\n00:00:07,200 --> 00:00:07,900\njoy\n\n2\n00:00:09,000 --> 00:00:10,000\nso\n'
    (tmp_path / 'a.srt').write_text(lines)
    (tmp_path / 'm.csv').write_text(
        'visual_features,label,transcript,split\nv.npy,joy,a.srt,train\n'
    )
    data = ManifestDataset(
        ann_file=str(tmp_path / 'm.csv'),
        data_root='',
        split='train',
        classes=['joy', 'sadness'],
        polarity=[1, -1],
        mood_table=dict(joy='joy'),
        pipeline=[
            dict(type='LoadTranscript'),
            dict(
                type='LoadFeatures',
                num_segments=5,
                dims=dict(visual=3, audio=2),
                num_tokens=dict(visual=4, audio=1),
            ),
            dict(type='FindCues', lexicon=dict(type='SenticNet6Lexicon')),
            dict(type='PackFeatureInputs', max_cues=2),
        ],
    )
    sample = data[0]
    inputs = sample['inputs']
    assert inputs['imgs'].shape == (5, 4, 3) and inputs['audios'].shape == (5, 1, 2)
    assert inputs['present'] == dict(visual=True, audio=False, text=True)
    assert inputs['imgs'].amax((1, 2)).nonzero().ravel().tolist() == [3]  # 6 s to 8 s
    assert inputs['cues']['valid'].any(1).nonzero().ravel().tolist() == [3]
    assert sample['data_samples'].segment_times[3].tolist() == [6.0, 8.0]
    assert sample['data_samples'].cues[3][0]['word'] == 'joy'


def test_broken_file_is_reported_and_replaced(tmp_path: Path) -> None:
    np.save(tmp_path / 'good.npy', np.ones((4, 3)))
    np.save(tmp_path / 'bad.npy', np.full((4, 3), np.nan))
    rows = ['visual_features,label,split'] + [f'{n}.npy,joy,train' for n in ('bad', 'good')]
    (tmp_path / 'm.csv').write_text('\n'.join(rows))
    dims = dict(visual=3, audio=2)
    data = ManifestDataset(
        ann_file=str(tmp_path / 'm.csv'),
        data_root='',
        split='train',
        classes=['joy'],
        polarity=[1],
        pipeline=[
            dict(type='LoadTranscript'),
            dict(type='LoadFeatures', num_segments=2, dims=dims, num_tokens=dims),
            dict(type='FindCues', lexicon=dict(type='SenticNet6Lexicon')),
            dict(type='PackFeatureInputs'),
        ],
    )
    sample = data[0]['data_samples']
    assert sample.video_id == 'good.npy'
    ((path, reason),) = sample.failures
    assert path.endswith('bad.npy') and '12 of 12 values are not finite' in reason
    # and it counts: one of two records
    loader = SimpleNamespace(dataset=data)
    log = SimpleNamespace(warning=str)
    runner = SimpleNamespace(train_dataloader=loader, logger=log, log_dir=str(tmp_path))
    with pytest.raises(TooManyFailuresError, match=r'1 of 2 videos'):
        FailureReportHook(max_failed_share=0.1).after_train_iter(
            runner, 0, dict(failures=sample.failures)
        )
