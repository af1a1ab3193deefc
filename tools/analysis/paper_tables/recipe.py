"""How a row was trained: what a fair comparison must hold equal, and what it costs."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config


def recipe(config: str | Path) -> dict:
    """Epochs, effective batch and learning rate of a config.

    Args:
        config: The file.

    Returns:
        ``recipe`` with ``pretrain_epochs``, ``finetune_epochs``, ``effective_batch`` (videos per
        optimiser step on one process), ``optimizer``, ``lr``.
    """
    cfg = Config.fromfile(config)
    stage = next(hook for hook in cfg.custom_hooks if hook['type'] == 'StageSwitchHook')
    pretrain = stage['pretrain_epochs']
    batch = cfg.train_dataloader.batch_size * cfg.optim_wrapper.get('accumulative_counts', 1)
    return dict(
        recipe=dict(
            pretrain_epochs=pretrain,
            finetune_epochs=cfg.train_cfg.max_epochs - pretrain,
            effective_batch=batch,
            optimizer=cfg.optim_wrapper.optimizer.type,
            lr=cfg.optim_wrapper.optimizer.lr,
        )
    )
