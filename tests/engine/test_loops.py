"""What is accumulated in an epoch belongs to that epoch; an epoch left without evaluation gets it."""

import itertools
from pathlib import Path

import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mart_mm.datasets.samplers import ResumableSampler
from mart_mm.engine.hooks.resumable_checkpoint import ResumableCheckpointHook
from mart_mm.engine.loops import ResumableTrainLoop

NUMBERS = [1.0, 2.0, 4.0, 8.0, 16.0]
_RUNS = itertools.count()


class Weight(BaseModel):
    """Its gradient is the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))

    def forward(self, inputs: torch.Tensor, mode: str = 'loss') -> object:
        if mode == 'loss':
            return dict(loss=self.weight * inputs.mean())
        return [dict(weight=float(self.weight))]

    def val_step(self, data: torch.Tensor) -> list[dict]:
        return self(data, mode='predict')

    def train_step(self, data: torch.Tensor, optim_wrapper: object) -> dict:
        losses, values = self.parse_losses(self(data))
        optim_wrapper.update_params(losses)
        return values


class Seen(BaseMetric):
    """Notes the weight that is evaluated."""

    weights: list[float]

    def process(self, data_batch: object, data_samples: list[dict]) -> None:
        self.results.append(data_samples[0]['weight'])

    def compute_metrics(self, results: list[float]) -> dict:
        self.weights.append(results[0])
        return dict(weight=-results[0])


class Places(Hook):
    """Notes what the message hub says of the place, where an epoch is evaluated."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def before_val_epoch(self, runner: Runner) -> None:
        hub = runner.message_hub
        self.seen.append((hub.get_info('epoch'), hub.get_info('iter')))


class Interruption(Hook):
    """Ends the process as an error would, before an epoch is evaluated."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def before_val_epoch(self, runner: Runner) -> None:
        if runner.epoch == self.epoch:
            raise InterruptedError


def make(work_dir: Path, weights: list[float], hooks: list[Hook], **kwargs: object) -> Runner:
    kwargs = dict(interval=1) | kwargs
    numbers = torch.tensor(NUMBERS)
    train = DataLoader(numbers, sampler=ResumableSampler(numbers, shuffle=False))
    metric = Seen()
    metric.weights = weights
    return Runner(
        Weight(),
        str(work_dir),
        train_dataloader=train,
        train_cfg=dict(type=ResumableTrainLoop, max_epochs=3),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=1.0), accumulative_counts=2),
        val_dataloader=DataLoader(torch.zeros(1)),
        val_cfg=dict(),
        val_evaluator=Evaluator(metric),
        default_hooks=dict(checkpoint=dict(type=ResumableCheckpointHook, **kwargs)),
        custom_hooks=[*hooks, dict(type='PlainCheckpointHook', _scope_='mart_mm')],
        experiment_name=f'{work_dir.name}-{next(_RUNS)}',  # each has a message hub of its own
        resume=True,
    )


def test_accumulation_ends_with_the_epoch(tmp_path: Path) -> None:
    weights: list[float] = []
    make(tmp_path, weights, []).train()
    # steps of the means of 1 and 2, of 4 and 8, and of 16 alone
    assert weights == [-23.5, -47.0, -70.5]


@pytest.mark.parametrize('epoch', [2, 3])
def test_epoch_saved_and_not_evaluated_is_evaluated_when_resumed(
    tmp_path: Path, epoch: int
) -> None:
    weights: list[float] = []
    with pytest.raises(InterruptedError):
        make(tmp_path, weights, [Interruption(epoch)]).train()
    assert len(weights) == epoch - 1
    places = Places()
    make(tmp_path, weights, [places]).train()
    assert weights == [-23.5, -47.0, -70.5]
    assert places.seen == [(0, 4), (1, 9), (2, 14)][epoch - 1 :]  # as in a run left alone


def test_evaluated_epoch_is_not_evaluated_again(tmp_path: Path) -> None:
    weights: list[float] = []
    make(tmp_path, weights, [], save_best='weight', rule='greater').train()
    make(tmp_path, weights, [], save_best='weight', rule='greater').train()
    assert len(weights) == 3


def test_checkpoints_by_iteration_follow_optimiser_steps(tmp_path: Path) -> None:
    make(tmp_path, [], [], by_epoch=False, interval=3).train()
    # due after 3, 6, 9, 12 and 15 of 15 iterations; steps are after 2, 4, 5, 7, 9, 10, 12, 14, 15
    saved = sorted(int(path.stem.split('_')[1]) for path in tmp_path.glob('iter_*.pth'))
    assert saved == [4, 7, 9, 12, 15]
