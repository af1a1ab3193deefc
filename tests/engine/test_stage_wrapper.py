"""What the wrapper of distributed training exchanges in each stage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from mart_mm.engine.distributed import AffectiveDistributedDataParallel
from mart_mm.models.recognizers.affective import TrainingStage


@pytest.fixture
def lone_process(tmp_path: Path) -> Iterator[None]:
    """A process group of this process alone."""
    dist.init_process_group('gloo', init_method=f'file://{tmp_path}/store', rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def gradients(model: torch.nn.Module, helpers: object) -> dict[str, torch.Tensor | None]:
    recognizer = getattr(model, 'module', model)
    recognizer.zero_grad()
    losses = model(**recognizer.data_preprocessor(helpers.batch(), True), mode='loss')
    recognizer.parse_losses(losses)[0].backward()
    return {
        name: None if p.grad is None else p.grad.clone()
        for name, p in recognizer.named_parameters()
    }


def test_finetuning_exchanges_nothing_of_the_pretext(helpers: object, lone_process: None) -> None:
    model = helpers.recognizer(helpers.pretext())
    wrapped = AffectiveDistributedDataParallel(model)  # every parameter must take part
    assert wrapped.gradient_as_bucket_view
    assert wrapped.for_stage('pretrain') is wrapped
    for name in ('pretrain', 'finetune', 'pretrain'):
        model.stage = TrainingStage(name, 1, 2)
        expected = gradients(model, helpers)
        wrapped = wrapped.for_stage(name)
        found = gradients(wrapped, helpers)
        used = [key for key, gradient in expected.items() if gradient is not None]
        assert [key for key in used if key.startswith('pretext.')] == (
            [] if name == 'finetune' else [key for key in expected if key.startswith('pretext.')]
        )
        assert wrapped._get_ddp_logging_data()['num_parameter_tensors'] == len(used)
        for key, gradient in expected.items():
            if gradient is None:
                assert found[key] is None, key
            else:
                torch.testing.assert_close(found[key], gradient, msg=lambda m, k=key: f'{k}: {m}')
    assert wrapped.for_stage('pretrain') is wrapped
