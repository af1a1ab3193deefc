"""The runner of all commands, with its hooks, on a model of three weights: a step takes no time."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.utils.data import Dataset

from mart_mm.engine.runner import AffectiveRunner
from mart_mm.registry import DATASETS, MODELS

_names = itertools.count()


@MODELS.register_module()
class TinyModel(BaseModel):
    """Fits y = 2 x."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(1, 1)
        self.register_buffer('ballast', torch.zeros(4096))

    def forward(self, x: Tensor, y: Tensor, mode: str) -> dict | list:
        error = self.linear(x) - y
        return dict(loss=error.square().mean()) if mode == 'loss' else [error]


@DATASETS.register_module()
class TinyData(Dataset):
    """Eight pairs."""

    metainfo: dict = {}

    def __getitem__(self, index: int) -> dict:
        return dict(x=torch.tensor([index / 8]), y=torch.tensor([index / 4]))

    def __len__(self) -> int:
        return 8


def build(work_dir: Path, epochs: int = 3, *, keep: int = 2, **changes: object) -> AffectiveRunner:
    """A runner that saves after each epoch, and keeps the last ``keep``."""
    torch.manual_seed(0)
    config = dict(
        model=dict(type='TinyModel'),
        work_dir=str(work_dir),
        train_dataloader=dict(
            batch_size=4,
            num_workers=0,
            dataset=dict(type='TinyData'),
            collate_fn=dict(type='default_collate'),
            sampler=dict(type='DefaultSampler', shuffle=False),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.1)),
        default_hooks=dict(
            checkpoint=dict(type='ResumableCheckpointHook', interval=1, max_keep_ckpts=keep),
            logger=dict(type='LoggerHook', interval=1),
        ),
        custom_hooks=[dict(type='PlainCheckpointHook')],
        visualizer=dict(
            type='Visualizer',
            name=f'tiny{next(_names)}',
            vis_backends=[dict(type='FaultTolerantVisBackend')],
        ),
        default_scope='mart_mm',
        experiment_name=f'tiny{next(_names)}',
        randomness=dict(seed=0),
    )
    return AffectiveRunner(**(config | changes))


def train(work_dir: Path, epochs: int = 3, **changes: object) -> AffectiveRunner:
    """A finished run."""
    runner = build(work_dir, epochs, **changes)
    runner.train()
    return runner


@pytest.fixture
def tiny_runs(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The functions of this file, for tests that cannot import it."""
    monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)  # asks compilers for seconds
    return SimpleNamespace(build=build, train=train)
