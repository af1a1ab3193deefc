from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mart_mm.apis.run import pin_memory, scale_lr, use_amp

CONFIG = Path(__file__).resolve().parents[2] / 'configs' / 'mart' / 'mart_mbt_ekman6.py'


@pytest.mark.parametrize(
    ('batch', 'steps', 'expected'), [(4, 9, 2e-4), (8, 9, 4e-4), (4, 1, 2e-4 / 9)]
)
def test_learning_rate_follows_the_videos_of_a_step(
    batch: int, steps: int, expected: float
) -> None:
    """The config's 2e-4 is for 36 videos: batch times accumulation."""
    cfg = Config.fromfile(CONFIG)
    cfg.train_dataloader.batch_size, cfg.optim_wrapper.accumulative_counts = batch, steps
    scale_lr(cfg)

    class Stub:
        """The parts of a runner that MMEngine's own scaling reads."""

        logger = type('Log', (), {'info': staticmethod(lambda *_: None)})
        world_size = 1
        param_schedulers = None
        _train_dataloader = cfg.train_dataloader

    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.AdamW([parameter], lr=cfg.optim_wrapper.optimizer.lr)
    from mmengine.optim import OptimWrapper

    wrapper = OptimWrapper(optimizer)
    Runner.scale_lr(Stub, wrapper, cfg.auto_scale_lr)
    assert optimizer.param_groups[0]['lr'] == pytest.approx(expected)


@pytest.mark.skipif(torch.cuda.is_available(), reason='is about machines without a GPU')
def test_amp_is_off_without_a_gpu() -> None:
    cfg = Config.fromfile(CONFIG)
    use_amp(cfg)
    assert cfg.optim_wrapper.type == 'OptimWrapper'


@pytest.mark.parametrize('has_gpu', [False, True])
def test_memory_is_pinned_where_a_gpu_is(has_gpu: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: has_gpu)
    cfg = Config.fromfile(CONFIG)
    cfg.val_dataloader.pin_memory = not has_gpu  # what a config says stays
    pin_memory(cfg)
    assert cfg.train_dataloader.pin_memory is has_gpu
    assert cfg.val_dataloader.pin_memory is not has_gpu
