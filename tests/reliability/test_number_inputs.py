"""Numbers in media, features and lists that are no numbers, or none at all."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch
from mmengine.optim import build_optim_wrapper

from mart_mm.datasets.collate import affective_collate
from mart_mm.datasets.ekman6 import Ekman6
from mart_mm.datasets.manifest import ManifestDataset
from mart_mm.datasets.media.audio_reader import read_audio
from mart_mm.datasets.media.log_mel import SILENCE, log_mel
from mart_mm.datasets.media.sound_stream import SoundStream
from mart_mm.datasets.media.video_arrays import VideoArrays
from mart_mm.datasets.transforms.audio import LoadLogMel
from mart_mm.datasets.transforms.features import LoadFeatures
from mart_mm.datasets.transforms.formatting import PackAffectiveInputs
from mart_mm.datasets.transforms.video import SampleSegments
from mart_mm.errors import MediaError

NOT_NUMBERS = [math.nan, math.inf, -math.inf]


@pytest.fixture(autouse=True)
def _no_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    """MMEngine collects garbage for each data set, which takes longer than all else here."""
    monkeypatch.setattr('mmengine.dataset.base_dataset.gc.collect', lambda: 0)


def wav(path: Path, samples: np.ndarray, rate: int = 16000) -> Path:
    """A file of 32-bit floats."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('pcm_f32le', rate=rate, layout='mono')
        frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), 'flt', 'mono')
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def tone(count: int = 16000) -> np.ndarray:
    return 0.5 * np.sin(np.arange(count) / 10)


@pytest.mark.parametrize('value', [*NOT_NUMBERS, 1e30])
def test_samples_that_are_no_sound(tmp_path: Path, value: float) -> None:
    """Named with their number, whichever way the file is read; sound beyond full scale is sound."""
    samples = tone()
    path = str(wav(tmp_path / 'good.wav', 30 * samples))
    np.testing.assert_allclose(read_audio(path), 30 * samples, rtol=1e-5)
    samples[[100, 9000]] = value
    path = str(wav(tmp_path / 'bad.wav', samples))
    for read in (read_audio, lambda path: SoundStream(path).reach(None)):
        with pytest.raises(MediaError, match=r'bad\.wav: sound: \d+ of \d+ samples') as caught:
            read(path)
        assert caught.value.path == path
    frames = np.zeros((2, 4, 4, 3), np.uint8)
    with pytest.raises(MediaError, match='arrays: sound: 2 of 16000 samples'):
        VideoArrays(frames, 25.0, samples, 16000).check()


@pytest.mark.parametrize('fps', [math.nan, math.inf, 0.0, -25.0])
def test_rates_that_are_none(fps: float) -> None:
    with pytest.raises(MediaError, match=f'fps={fps}'):
        VideoArrays(np.zeros((2, 4, 4, 3), np.uint8), fps).check()


def test_log_mel_of_silence_is_finite_and_always_the_same() -> None:
    for waveform in (
        torch.zeros(16000),
        torch.zeros(16000, dtype=torch.float64),
        -torch.zeros(16000),
    ):
        rows = log_mel(waveform)
        assert rows.shape == (98, 128) and rows.dtype == torch.float32
        assert rows.eq(torch.tensor(SILENCE, dtype=torch.float32)).all()
    for waveform in (
        torch.full((16000,), 0.7),
        torch.full((16000,), 1e-38),
        1e4 * torch.ones(16000),
    ):
        first, second = log_mel(waveform), log_mel(waveform.clone())
        assert first.isfinite().all() and torch.equal(first, second)


def sound_only(results: dict) -> dict:
    """Stands for the frames."""
    return results | dict(
        imgs=np.zeros((2, 1, 4, 4, 3), np.uint8),
        clip_times=np.array([[0.0, 0.5], [0.5, 1.0]]),
        segment_times=np.array([[0.0, 0.5], [0.5, 1.0]]),
        has_text=False,
        texts=['', ''],
        cues=[[], []],
        class_has_words=np.ones(6, bool),
    )


def sounds(folder: Path, broken: int, **options: object) -> Ekman6:
    """Four videos, one of which has a sample that is not a number."""
    (folder / 'videos/joy').mkdir(parents=True)
    (folder / 'list.txt').write_text(''.join(f'joy/v{n} 4\n' for n in range(4)))
    for number in range(4):
        samples = tone()
        samples[500] = math.nan if number == broken else 0.1
        path = wav(folder / f'videos/joy/v{number}.wav', samples)
        path.rename(path.with_suffix('.mp4'))
    steps = [sound_only, LoadLogMel(num_frames=32), PackAffectiveInputs(max_cues=2)]
    prefix = dict(video='videos', transcript='')
    return Ekman6(
        ann_file='list.txt', data_root=str(folder), data_prefix=prefix, pipeline=steps, **options
    )


def test_a_video_with_one_such_sample_is_replaced_and_named(tmp_path: Path) -> None:
    data = sounds(tmp_path, broken=2)
    batch = affective_collate([data[index] for index in range(4)])
    assert batch['inputs']['audios'].isfinite().all()
    assert [sample.video_id for sample in batch['data_samples']] == [
        f'joy/v{n}' for n in (0, 1, 3, 3)
    ]
    ((path, reason),) = batch['failures']
    assert path.endswith('joy/v2.mp4') and reason.startswith('sound: ') and 'not finite' in reason


def test_in_testing_it_is_set_aside(tmp_path: Path) -> None:
    data = sounds(tmp_path, broken=2, test_mode=True)
    batch = affective_collate([data[index] for index in range(4)])
    assert len(batch['data_samples']) == 3 and len(batch['failures']) == 1
    (failed,) = batch['failed_samples']
    assert failed.video_id == 'joy/v2' and 'sound: ' in failed.failed


def features_of(folder: Path, arrays: list[np.ndarray]) -> ManifestDataset:
    lines = ['visual_features,label,split']
    for number, array in enumerate(arrays):
        np.save(folder / f'{number}.npy', array)
        lines.append(f'{number}.npy,joy,train')
    (folder / 'm.csv').write_text('\n'.join(lines))
    load = LoadFeatures(
        num_segments=2, dims=dict(visual=3, audio=3), num_tokens=dict(visual=2, audio=2)
    )

    def values(results: dict) -> dict:
        return dict(values=results['visual_features'], data_samples=Sample(results['video_id']))

    class Sample:
        def __init__(self, name: str) -> None:
            self.name = name

        def set_metainfo(self, info: dict) -> None:
            self.failures = info['failures']

    return ManifestDataset(
        ann_file=str(folder / 'm.csv'), data_root=str(folder), pipeline=[load, values], split='train',
        classes=['joy', 'fear'], polarity=[1, -1],
    )  # fmt: skip


@pytest.mark.parametrize('value', [*NOT_NUMBERS, 1e300])
def test_features_that_are_no_numbers(tmp_path: Path, value: float) -> None:
    """One value is enough; what float32 cannot hold counts, too."""
    arrays = [np.ones((5, 3)) for _ in range(3)]
    arrays[1][4, 2] = value
    data = features_of(tmp_path, arrays)
    samples = [data[index] for index in range(3)]
    assert all(np.isfinite(sample['values']).all() for sample in samples)
    assert [sample['data_samples'].name for sample in samples] == ['0.npy', '2.npy', '2.npy']
    ((path, reason),) = samples[1]['data_samples'].failures
    assert path.endswith('1.npy') and '1 of 15 values are not finite, in 1 of 5 vectors' in reason


@pytest.mark.parametrize('options', [dict(indices=0), dict(indices=[]), dict()])
@pytest.mark.parametrize('split', ['train', 'test'])
def test_a_data_set_of_nothing(tmp_path: Path, options: dict, split: str) -> None:
    """Refused when it is made, not when an epoch ends."""
    (tmp_path / 'videos').mkdir()
    (tmp_path / 'list.txt').write_text('joy/a 4\n' if options else '\n \n')
    with pytest.raises(ValueError, match='no record'):
        Ekman6(
            ann_file='list.txt', data_root=str(tmp_path), pipeline=[], test_mode=split == 'test', **options
        )  # fmt: skip


@pytest.mark.parametrize('frames', [1, 3])
@pytest.mark.parametrize('random', [False, True])
def test_more_segments_than_frames(tmp_path: Path, frames: int, random: bool) -> None:
    """Frames are shown again; none is asked for that does not exist."""
    for number in range(frames):
        cv2.imwrite(str(tmp_path / f'{number + 1:05}.png'), np.full((8, 8, 3), number, np.uint8))
    sample = SampleSegments(num_segments=8, clip_len=4, random=random)
    rng = np.random.default_rng(0)
    results = sample(dict(video_path=str(tmp_path), fps=10.0, rng=rng))
    results['video_reader'].close()
    inds = results['frame_inds']
    assert inds.shape == (8, 4) and inds.min() == 0 and inds.max() == frames - 1
    times = results['segment_times']
    np.testing.assert_allclose(times[1:, 0], times[:-1, 1])
    assert times[0, 0] == 0 and times[-1, 1] == pytest.approx(frames / 10)
    assert (np.diff(results['clip_times']) > 0).all()


@pytest.mark.parametrize('name', ['lr', 'weight_decay'])
@pytest.mark.parametrize('value', [-0.1, math.nan])
def test_rates_of_the_optimiser_out_of_range(name: str, value: float) -> None:
    config = dict(type='AdamW', lr=0.1, weight_decay=0.1) | {name: value}
    with pytest.raises(ValueError, match=f'nvalid.*{value}'):
        build_optim_wrapper(torch.nn.Linear(2, 2), dict(type='OptimWrapper', optimizer=config))


SHAPES: list[Callable[[], np.ndarray]] = [
    lambda: np.zeros((0, 3)), lambda: np.zeros((2, 2, 3)), lambda: np.array(3.0),
    lambda: np.array(['a', 'b', 'c']), lambda: np.zeros((4, 7)), lambda: np.zeros((4, 3), complex),
]  # fmt: skip


@pytest.mark.parametrize('number', range(len(SHAPES)))
def test_features_of_another_form(tmp_path: Path, number: int) -> None:
    data = features_of(tmp_path, [np.ones((5, 3)), SHAPES[number](), np.ones((5, 3))])
    sample = data[1]
    ((path, reason),) = sample['data_samples'].failures
    assert sample['data_samples'].name == '2.npy' and path.endswith('1.npy') and reason
