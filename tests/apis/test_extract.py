"""Extracted features against the backbone called by hand, one video at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mart_mm.apis.extract import SplitFeatures, extract_features
from mart_mm.apis.frozen import RANDOM_INIT, frozen_recognizer, read_config
from mart_mm.registry import DATASETS
from tools.extract_features import main


def extracted(config: Path, split: str, options: dict | None = None) -> SplitFeatures:
    cfg = read_config(config, options)
    return extract_features(frozen_recognizer(cfg, RANDOM_INIT), cfg, split)


def listed(planted: Path, split: str) -> list[tuple[str, int]]:
    """Videos and labels of a list, labels from 0."""
    lines = (planted / 'annotations' / f'{split}list01.txt').read_text().splitlines()
    return [(line.split()[0], int(line.split()[1]) - 1) for line in lines]


def close(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope='module')
def train(feature_config: Path) -> SplitFeatures:
    return extracted(feature_config, 'train')


def test_equals_the_backbone_on_the_testing_pipeline(
    feature_config: Path, train: SplitFeatures
) -> None:
    cfg = read_config(feature_config)
    recognizer = frozen_recognizer(cfg, RANDOM_INIT).cpu()
    # the training videos as a test split of their own
    dataset = cfg.test_dataloader.dataset | dict(ann_file='annotations/trainlist01.txt')
    dataset = DATASETS.build(dataset)
    mean, std = (
        torch.tensor(values).view(3, 1, 1, 1)
        for values in ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
    )
    readable = [index for index in range(len(dataset)) if index != 1]
    assert len(readable) == len(train.ids)
    for row, index in enumerate(readable):
        sample = dataset[index]
        inputs, has_audio = sample['inputs'], sample['inputs']['present']['audio']
        sound = (inputs['audios'] + 4.19) / (2 * 1.34) * float(has_audio)  # of the config
        with torch.no_grad():
            output = recognizer.backbone(
                ((inputs['imgs'].float() - mean) / std)[None],
                sound[None],
                present={name: torch.tensor([value]) for name, value in inputs['present'].items()},
            )
        assert train.ids[row] == sample['data_samples'].video_id
        assert train.labels[row] == sample['data_samples'].gt_emotion
        assert close(train.modalities['visual'].segments[row], output.visual_embed.numpy())
        expected = output.audio_embed.numpy() * float(has_audio)
        assert close(train.modalities['audio'].segments[row], expected)
        assert close(train.modalities['audio'].mean[row], expected.mean(0))


def test_broken_and_silent_videos(planted: Path, train: SplitFeatures) -> None:
    videos = listed(planted, 'train')
    assert list(train.unreadable) == ['anger/1002']
    assert 'cannot be read' in train.unreadable['anger/1002']
    readable = [video for video in videos if video[0] != 'anger/1002']
    assert list(zip(train.ids.tolist(), train.labels.tolist(), strict=True)) == readable
    audio = train.modalities['audio']
    assert train.ids[~audio.is_present].tolist() == ['joy/1000']
    assert not audio.segments[~audio.is_present].any()
    assert (np.abs(audio.segments[audio.is_present]).max((1, 2)) > 0).all()
    assert train.modalities['visual'].is_present.all()
    assert list(train.modalities) == ['visual', 'audio']


def test_batch_size_and_training_pipeline_make_no_difference(
    feature_config: Path, train: SplitFeatures
) -> None:
    options = {'test_dataloader.batch_size': 1, 'train_dataloader.dataset.seed': 9}
    alone = extracted(feature_config, 'train', options)
    assert alone.ids.tolist() == train.ids.tolist()
    for name, modality in train.modalities.items():
        assert close(alone.modalities[name].segments, modality.segments)


def test_words_are_a_modality(language_config: Path) -> None:
    found = extracted(language_config, 'test')
    text = found.modalities['text']
    # surprise/1001 has no subtitles
    assert found.ids[~text.is_present].tolist() == ['surprise/1001']
    for segments, mean, is_present in zip(text.segments, text.mean, text.is_present, strict=True):
        with_words = segments[np.abs(segments).sum(1) > 0]  # a segment without words is zero
        assert len(with_words) > 0 if is_present else len(with_words) == 0
        assert close(mean, with_words.mean(0) if is_present else np.zeros_like(mean))


def test_nothing_readable_and_diverged_weights(
    feature_config: Path, planted: Path, tmp_path: Path
) -> None:
    cfg = read_config(feature_config)
    recognizer = frozen_recognizer(cfg, RANDOM_INIT)
    cfg.test_dataloader.dataset.indices = 2
    cfg.test_dataloader.dataset.data_prefix = dict(video='nowhere', transcript='subtitles')
    (planted / 'nowhere').mkdir(exist_ok=True)
    with pytest.raises(ValueError, match='none of 2 videos'):
        extract_features(recognizer, cfg, 'test')
    cfg = read_config(feature_config, {'test_dataloader.dataset.indices': 2})
    recognizer.backbone.audio.norm.bias.data.fill_(float('nan'))
    with pytest.raises(ValueError, match='the audio features of 2 of 2 videos are not finite'):
        extract_features(recognizer, cfg, 'test')


def test_command(feature_config: Path, planted: Path, tmp_path: Path, capsys: object) -> None:
    out = tmp_path / 'deep' / 'f.npz'
    command = [str(feature_config), '--split', 'test', '--out', str(out), '--data', str(planted)]
    with pytest.raises(SystemExit):  # weights are named, not guessed
        main(command)
    with pytest.raises(SystemExit):
        main([*command, '--random-init', '--pretrained-init'])
    assert main([str(feature_config), str(tmp_path / 'none.pth'), *command[1:]]) == 2
    assert 'none.pth' in capsys.readouterr().err and not out.parent.exists()

    assert main([*command, '--random-init']) == 0
    assert 'not readable: 0' in capsys.readouterr().out
    expected = extracted(feature_config, 'test')
    with np.load(out, allow_pickle=False) as found:
        assert found['ids'].tolist() == [name for name, _ in listed(planted, 'test')]
        assert found['labels'].tolist() == [label for _, label in listed(planted, 'test')]
        assert found['classes'].tolist() == expected.classes
        assert found['weights'] == 'random init' and found['unreadable_ids'].size == 0
        for name, modality in expected.modalities.items():
            assert close(found[f'{name}_segments'], modality.segments)
            assert close(found[name], modality.segments.mean(1))
            assert found[f'has_{name}'].tolist() == modality.is_present.tolist()
    assert [path.name for path in out.parent.iterdir()] == ['f.npz']
