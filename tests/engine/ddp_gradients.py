"""Run by test_distributed.py on two processes: gradients of half a batch each, averaged."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import torch
import torch.distributed as dist

spec = importlib.util.spec_from_file_location('fixtures', Path(__file__).parents[1] / 'conftest.py')
fixtures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fixtures)

from mart_mm.engine.distributed import (  # noqa: E402
    AffectiveDistributedDataParallel,
    init_cpu_processes,
)


def take(value: object, rows: slice) -> object:
    if isinstance(value, dict):
        return {key: take(item, rows) for key, item in value.items()}
    return value[rows]


def main(target: str) -> None:
    init_cpu_processes('pytorch')
    torch.manual_seed(0)
    model = fixtures.build_recognizer(fixtures.tiny_pretext(verify_level=1))
    # uneven on purpose: one video without sound, one without words, all on the second process
    batch = fixtures.make_batch(num_videos=4, audio=(True, True, True, False))
    batch['inputs']['cues']['valid'][2] = False
    rows = slice(2 * dist.get_rank(), 2 * dist.get_rank() + 2)
    part = dict(inputs=take(batch['inputs'], rows), data_samples=batch['data_samples'][rows])
    wrapped = AffectiveDistributedDataParallel(model, device_ids=[0], find_unused_parameters=True)
    data = model.data_preprocessor(part, True)
    losses = wrapped(**data, mode='loss')
    model.parse_losses(losses)[0].backward()
    if dist.get_rank() == 0:
        torch.save({name: p.grad for name, p in model.named_parameters()}, target)
    dist.barrier()


if __name__ == '__main__':
    main(sys.argv[1])
