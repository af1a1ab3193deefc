"""Metrics of predictions that were written down, without model and without videos."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope

from mart_mm.structures.affective_data_sample import AffectiveDataSample


def rescore(cfg: Config, path: str | Path) -> dict[str, float]:
    """Let a config's test evaluator score predictions.

    Classes and their polarity are those of the data set that was predicted; the file holds them.

    Args:
        cfg: The config; only ``test_evaluator`` and ``default_scope`` are read.
        path: The ``.json`` file of ``mart-mm test CONFIG CHECKPOINT --dump``.

    Returns:
        The metrics, named as in a test run.

    Raises:
        OSError: When the file cannot be read.
        ValueError: When it holds something else, or the config has no evaluator; also as the metrics
            do, such as where no video could be read.
    """
    if not cfg.get('test_evaluator'):
        raise ValueError(f'{cfg.filename}: there is no test_evaluator to score with')
    meta, samples = read_predictions(path)
    init_default_scope(cfg.get('default_scope', 'mart_mm'))
    evaluator = Evaluator(cfg.test_evaluator)
    evaluator.dataset_meta = meta
    return evaluator.offline_evaluate(samples)


def read_predictions(path: str | Path) -> tuple[dict, list[AffectiveDataSample]]:
    """What ``--dump`` wrote: ``classes`` and ``polarity``, and a sample per video.

    A sample has ``video_id`` and ``gt_emotion``, and either ``pred_emotion`` and ``pred_scores`` or
    ``failed``.

    Raises:
        OSError: When the file cannot be read.
        ValueError: When it holds something else, naming the field and the remedy.
    """
    remedy = 'give the .json file that `mart-mm test CONFIG CHECKPOINT --dump NAME` wrote'
    try:
        content = json.loads(Path(path).read_text(encoding='utf-8'))
        meta = dict(classes=list(content['classes']), polarity=list(content['polarity']))
        videos = list(content['videos'])
    except (ValueError, TypeError, KeyError) as error:
        what = f'no field {error}' if isinstance(error, KeyError) else error
        raise ValueError(f'{path}: no predictions ({what}): {remedy}') from error
    if not videos or len(meta['classes']) != len(meta['polarity']):
        raise ValueError(f'{path}: no video, or not one polarity for each class: {remedy}')
    samples = []
    for number, video in enumerate(videos):
        try:
            samples.append(_sample(video, len(meta['classes'])))
        except (ValueError, TypeError, KeyError) as error:
            what = f'no field {error}' if isinstance(error, KeyError) else error
            raise ValueError(f'{path}: videos[{number}]: {what}: {remedy}') from error
    return meta, samples


def _sample(video: dict, num_classes: int) -> AffectiveDataSample:
    sample = AffectiveDataSample(metainfo=dict(video_id=video['video_id']))
    sample.gt_emotion = _class(video, 'label', num_classes)
    if 'failed' in video:
        sample.failed = str(video['failed'])
        return sample
    sample.pred_emotion = _class(video, 'predicted', num_classes)
    sample.pred_scores = torch.tensor(video['scores'], dtype=torch.float32)
    if sample.pred_scores.shape != (num_classes,):
        raise ValueError(f"'scores' has {len(video['scores'])} values for {num_classes} classes")
    return sample


def _class(video: dict, field: str, num_classes: int) -> int:
    index = int(video[field])
    if not 0 <= index < num_classes:
        raise ValueError(f'{field!r} is {index}, classes are 0 to {num_classes - 1}')
    return index
