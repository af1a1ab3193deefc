"""How a row is trained: what a fair comparison must hold equal, and what a step costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from mart_mm.apis.run import share_cache
from mart_mm.models.recognizers.affective import TrainingStage
from mart_mm.registry import MODELS


def recipe(config: str | Path) -> dict:
    """Epochs, effective batch and learning rate of a config.

    Args:
        config: The file.

    Returns:
        ``pretrain_epochs``, ``finetune_epochs``, ``effective_batch`` (videos per optimiser step on one
        process), ``optimizer``, ``lr``.
    """
    cfg = Config.fromfile(config)
    stage = next(hook for hook in cfg.custom_hooks if hook['type'] == 'StageSwitchHook')
    pretrain = stage['pretrain_epochs']
    batch = cfg.train_dataloader.batch_size * cfg.optim_wrapper.get('accumulative_counts', 1)
    return dict(
        pretrain_epochs=pretrain,
        finetune_epochs=cfg.train_cfg.max_epochs - pretrain,
        effective_batch=batch,
        optimizer=cfg.optim_wrapper.optimizer.type,
        lr=cfg.optim_wrapper.optimizer.lr,
    )


def step_gflop(config: str | Path, options: Sequence[str] = ()) -> dict[str, float]:
    """GFLOP per video of a training step, forward and backward, as torch counts them.

    A step of each stage is taken on the first batch of the config's own data, with the masks of half
    of the pretraining stage. What does not run in torch (flow by OpenCV) is not counted.

    Args:
        config: The file.
        options: ``key=value`` overrides of paths.

    Returns:
        By stage, ``'pretrain'`` and ``'finetune'``; only the latter where there is no pretext.
    """
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(dict(option.split('=', 1) for option in options))
    share_cache(cfg)
    init_default_scope(cfg.get('default_scope', 'mart_mm'))
    loader = cfg.train_dataloader
    loader.update(num_workers=0, persistent_workers=False)
    loader.pop('prefetch_factor', None)
    torch.manual_seed(0)
    data = Runner.build_dataloader(loader, seed=0)
    model = MODELS.build(cfg.model).train()
    found = {}
    for stage in ('pretrain', 'finetune') if model.pretext is not None else ('finetune',):
        data.dataset.set_stage(stage)
        model.stage = TrainingStage(stage, 1, 2)
        model.data_preprocessor.encode_cues = stage == 'pretrain'
        if stage == 'pretrain':
            model.pretext.mask_progress = 0.5
        batch = model.data_preprocessor(next(iter(data)), True)
        # torch does not count its fused attention on CPU
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            total, _ = model.parse_losses(model(**batch, mode='loss'))
            total.backward()
        found[stage] = counter.get_total_flops() / len(batch['data_samples']) / 1e9
    return found
