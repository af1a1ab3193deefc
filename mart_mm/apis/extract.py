"""What a frozen backbone makes of the videos of a split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import Tensor
from tqdm import tqdm

from mart_mm.apis.splits import dataset_config
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.utils.atomic import replacing

#: splits that features are extracted of
SPLITS = ('train', 'test')


@dataclass(frozen=True)
class ModalityFeatures:
    """What one modality gave, for n videos of S segments.

    Attributes:
        segments: float32 (n, S, D); zero where the video does not have the modality.
        mean: float32 (n, D), over the segments; of text, over those with words.
        is_present: Bool (n,), videos that have the modality.
    """

    segments: np.ndarray
    mean: np.ndarray
    is_present: np.ndarray


@dataclass(frozen=True)
class SplitFeatures:
    """Features of a split, in the order of its records.

    Attributes:
        ids: Unicode (n,), the videos that could be read.
        labels: int64 (n,), emotion class.
        classes: Names of the classes.
        polarity: Polarity in {-1, 0, 1} of each class.
        modalities: ``'visual'``, ``'audio'``, and ``'text'`` where the backbone has words.
        unreadable: Video that could not be read -> why.
    """

    ids: np.ndarray
    labels: np.ndarray
    classes: list[str]
    polarity: list[int]
    modalities: dict[str, ModalityFeatures]
    unreadable: dict[str, str]


def evaluation_loader(cfg: Config, split: str) -> dict:
    """Config of a loader of a split as testing reads it: in order, whole, not augmented.

    Batch size and workers are those of ``test_dataloader``, its pipeline serves both splits.

    Args:
        cfg: The config.
        split: ``'train'`` or ``'test'``.

    Raises:
        ValueError: When the config has no such split, or none for testing.
    """
    dataset, test = dataset_config(cfg, split), dataset_config(cfg, 'test')
    for name, found in ((split, dataset), ('test', test)):
        if found is None:
            raise ValueError(f'{cfg.filename} has no {name}_dataloader')
    dataset |= dict(pipeline=test['pipeline'], test_mode=True)
    dataset.pop('pretrain_pipeline', None)
    loader = cfg.to_dict()['test_dataloader']
    sampler = dict(type='ResumableSampler', shuffle=False)
    return loader | dict(dataset=dataset, sampler=sampler, persistent_workers=False)


@torch.no_grad()
def extract_features(recognizer: AffectiveRecognizer, cfg: Config, split: str) -> SplitFeatures:
    """Run the backbone over a split, as finetuning would after no step.

    A video that cannot be read is reported, counted and left out.

    Args:
        recognizer: As :func:`mart_mm.apis.frozen.frozen_recognizer` returns it.
        cfg: The config.
        split: ``'train'`` or ``'test'``.

    Raises:
        ValueError: When no video could be read, or a feature is not finite.
    """
    loader = Runner.build_dataloader(evaluation_loader(cfg, split), seed=0)
    batches, samples, unreadable = [], [], {}
    for data in tqdm(loader, desc=split, unit='batch', disable=None):
        for path, reason in data['failures']:
            print_log(f'skipped: {path}: {reason}', logger='current')
        unreadable |= {sample.video_id: sample.failed for sample in data['failed_samples']}
        if not data['data_samples']:
            continue
        batch = recognizer.data_preprocessor(data, False)
        samples += batch['data_samples']
        batches.append(_of_batch(recognizer, batch['inputs']))
    if not samples:
        raise ValueError(f'{split}: none of {len(unreadable)} videos could be read')
    metainfo = loader.dataset.metainfo
    modalities = {
        name: ModalityFeatures(*map(np.concatenate, zip(*(b[name] for b in batches), strict=True)))
        for name in batches[0]
    }
    features = SplitFeatures(
        np.array([sample.video_id for sample in samples]),
        np.array([sample.gt_emotion for sample in samples], dtype=np.int64),
        list(metainfo['classes']),
        list(metainfo['polarity']),
        modalities,
        unreadable,
    )
    _check(features)
    return features


def _of_batch(recognizer: AffectiveRecognizer, inputs: dict) -> dict[str, tuple[np.ndarray, ...]]:
    """Segment features (B, S, D), their mean (B, D) and presence (B,) by modality."""
    output, present = recognizer.extract_feat(inputs), inputs['present']
    num_videos, num_segments = inputs['imgs'].shape[:2]
    everything = torch.ones(num_videos, num_segments, dtype=torch.bool, device=output[0].device)
    embeds = dict(visual=(output.visual_embed, everything), audio=(output.audio_embed, everything))
    if getattr(output, 'text_embed', None) is not None:
        has_words = output.text_is_valid.unflatten(0, (-1, num_segments))
        embeds['text'] = output.text_embed, has_words
    found = {}
    for name, (embed, is_valid) in embeds.items():
        is_used = (is_valid & present[name][:, None])[..., None]
        segments = embed.float().unflatten(0, (-1, num_segments))
        segments = torch.where(is_used, segments, torch.zeros_like(segments))
        mean = segments.sum(1) / is_used.sum(1).clamp(min=1)
        found[name] = tuple(map(_to_numpy, (segments, mean, present[name])))
    return found


def _to_numpy(x: Tensor) -> np.ndarray:
    return x.cpu().numpy()


def _check(features: SplitFeatures) -> None:
    for name, modality in features.modalities.items():
        is_finite = np.isfinite(modality.segments).all((1, 2))
        if not is_finite.all():
            bad = features.ids[~is_finite]
            raise ValueError(
                f'the {name} features of {len(bad)} of {len(is_finite)} videos are not finite, '
                f'{bad[0]} first: the weights are of a training that diverged'
            )


def save_features(path: str | Path, features: SplitFeatures, weights: str) -> None:
    """Write features to a ``.npz`` that ``numpy.load`` opens without pickle, whole or not at all.

    ``ids``, ``labels``, ``classes``, ``polarity``, ``weights``, ``unreadable_ids`` and
    ``unreadable_reasons``; by modality ``<modality>_segments`` (n, S, D), ``<modality>`` (n, D)
    and ``has_<modality>`` (n,), see :class:`SplitFeatures`.

    Args:
        path: The file.
        features: What to write.
        weights: Where the backbone's weights are from.
    """
    arrays = dict(
        ids=features.ids,
        labels=features.labels,
        classes=np.array(features.classes),
        polarity=np.array(features.polarity),
        weights=np.array(weights),
        unreadable_ids=np.array(list(features.unreadable), dtype=np.str_),
        unreadable_reasons=np.array(list(features.unreadable.values()), dtype=np.str_),
    )
    for name, modality in features.modalities.items():
        arrays[f'{name}_segments'] = modality.segments
        arrays[name] = modality.mean
        arrays[f'has_{name}'] = modality.is_present
    with replacing(path) as temporary, temporary.open('wb') as file:
        np.savez(file, **arrays)
