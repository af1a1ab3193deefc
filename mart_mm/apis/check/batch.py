"""One batch through pipeline, preprocessor and losses, the networks made small."""

from __future__ import annotations

import copy
import math
import traceback
from collections.abc import Iterator
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mart_mm.apis.check.findings import ERROR, OK, Finding, told
from mart_mm.apis.shrink import BATCH, shrink
from mart_mm.datasets.base import AffectiveDataset
from mart_mm.datasets.collate import affective_collate
from mart_mm.models.recognizers.affective import AffectiveRecognizer, TrainingStage
from mart_mm.registry import DATASETS, MODELS


def check_batch(cfg: Config) -> list[Finding]:
    """Take one training batch through each stage of the config, without a step of the optimiser.

    Pretrained weights are not loaded, as they do not fit small networks.

    Args:
        cfg: Is left as it is.
    """
    small = copy.deepcopy(cfg)
    try:
        init_default_scope(small.get('default_scope', 'mart_mm'))
        shrink(small)
        data_set = DATASETS.build(small.train_dataloader.dataset)
        recognizer = MODELS.build(small.model).train()
        return [_loss(recognizer, data_set, stage) for stage in _stages(small)]
    except Exception as error:  # a component of the user's may raise anything; all of it is told
        place = traceback.extract_tb(error.__traceback__)[-1]
        message = f'{type(error).__name__}: {told(error)}\n({Path(place.filename).name}, line {place.lineno})'
        return [Finding(ERROR, 'batch', message)]


def _stages(cfg: Config) -> Iterator[str]:
    hooks = (hook for hook in cfg.get('custom_hooks') or () if hook.type == 'StageSwitchHook')
    if any(hook.pretrain_epochs for hook in hooks):
        yield 'pretrain'
    yield 'finetune'


def _loss(recognizer: AffectiveRecognizer, data_set: AffectiveDataset, stage: str) -> Finding:
    """What the stage's hooks set, then one forward pass."""
    recognizer.stage = TrainingStage(stage, 1, 1)
    recognizer.data_preprocessor.encode_cues = stage == 'pretrain'
    data_set.set_stage(stage)
    samples = [data_set[index] for index in range(min(BATCH, len(data_set)))]
    batch = affective_collate(samples)
    data = recognizer.data_preprocessor(batch, True)
    total, parts = recognizer.parse_losses(recognizer(**data, mode='loss'))
    losses = {name: value.item() for name, value in parts.items() if 'loss' in name}
    shown = ', '.join(f'{name} {value:.3g}' for name, value in losses.items())
    if not math.isfinite(total.item()):
        return Finding(ERROR, 'batch', f'{stage}: a loss is not finite: {shown}')
    return Finding(OK, 'batch', f'{stage}, {len(samples)} videos: {shown}')
