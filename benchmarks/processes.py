"""Two processes of one thread beside one process of two threads, on a tiny MART.

Both take the same batch, each of the two processes half of it. Clips per second, and the largest
difference of the gradients of the first step, relative to each parameter's largest gradient.

    python benchmarks/processes.py
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import ROOT, Figure, show

CONFIG = 'configs/mart/mart_mbt_planted.py'
SEGMENTS, CUES = 6, 4


def worker(videos: int, steps: int, out: Path) -> None:
    """One process of a run; the first one writes the seconds of each step and the gradients."""
    import mart_mm  # noqa: F401  first: it repairs what is imported below

    # isort: split
    import torch
    import torch.distributed as dist
    from mmengine.config import Config
    from mmengine.registry import init_default_scope

    from mart_mm.engine.distributed import AffectiveDistributedDataParallel, init_cpu_processes
    from mart_mm.registry import MODELS

    threads = torch.get_num_threads()
    is_alone = 'RANK' not in os.environ
    rank, world = 0, 1
    if not is_alone:
        init_cpu_processes('pytorch')
        torch.set_num_threads(threads)
        rank, world = dist.get_rank(), dist.get_world_size()
    torch.manual_seed(0)
    cfg = Config.fromfile(ROOT / CONFIG)
    init_default_scope('mart_mm')
    model = MODELS.build(cfg.model).train()
    model.pretext.mask_progress, model.pretext.verify_level = 0.5, 1
    wrapped = model if is_alone else AffectiveDistributedDataParallel(model)
    share = videos // world
    batch = draw_batch(model, videos, slice(rank * share, (rank + 1) * share))
    seconds = []
    for number in range(-2, steps):
        model.zero_grad()
        if not is_alone:
            dist.barrier()
        began = time.perf_counter()
        losses = wrapped(**model.data_preprocessor(batch, True), mode='loss')
        model.parse_losses(losses)[0].backward()
        if not is_alone:
            dist.barrier()
        if number >= 0:
            seconds.append(time.perf_counter() - began)
        elif rank == 0:
            gradients = {name: p.grad.clone() for name, p in model.named_parameters()}
    if rank == 0:
        torch.save(gradients, out / 'gradients.pth')
        (out / 'seconds.json').write_text(json.dumps(seconds))
    # the process group is left to the exit: torch frees it while holding Python's lock, for which one of
    # its threads may wait, and then the process never ends


def draw_batch(model: object, videos: int, rows: slice) -> dict:
    """Some rows of a batch with random content."""
    import torch

    from mart_mm.structures.affective_data_sample import AffectiveDataSample

    rng = torch.Generator().manual_seed(0)
    specs, classes = model.backbone.streams, model.head.num_classes
    shape = (videos, SEGMENTS, CUES)
    frames = (videos, SEGMENTS, 3, *specs['visual'].input_shape)
    mels = (videos, SEGMENTS, *specs['audio'].input_shape[::-1])
    whole = torch.ones(videos, dtype=torch.bool)
    inputs = dict(
        imgs=torch.randint(0, 256, frames, generator=rng, dtype=torch.uint8),
        audios=torch.randn(mels, generator=rng) * 1.3 - 4,
        cues=dict(
            polarity=torch.randint(-1, 2, shape, generator=rng),
            emotion=torch.rand(*shape, classes, generator=rng),
            emotion_class=torch.randint(-1, classes, shape, generator=rng),
            valid=torch.rand(shape, generator=rng) < 0.8,
            class_has_words=torch.ones(videos, classes, dtype=torch.bool),
        ),
        present=dict(visual=whole, audio=whole, text=whole),
    )
    samples = []
    for video in range(videos):
        sample = AffectiveDataSample(metainfo=dict(video_id=str(video), failures=[]))
        sample.gt_emotion = video % classes
        sample.texts = ['word'] * SEGMENTS
        cue = dict(word=f'word{video}', span=(0, 4), affect=[0.5] * 7)
        sample.cues = [[cue] * CUES] * SEGMENTS
        samples.append(sample)

    def take(value: object) -> object:
        if isinstance(value, dict):
            return {key: take(item) for key, item in value.items()}
        return value[rows]

    return dict(inputs=take(inputs), data_samples=samples[rows])


def run(processes: int, videos: int, steps: int, out: Path) -> tuple[list[float], dict]:
    """Start a run of one process with two threads, or of two with one; seconds and gradients."""
    import torch

    out.mkdir()
    command = [sys.executable]
    if processes > 1:
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            port = probe.getsockname()[1]
        command += ['-m', 'torch.distributed.run', f'--nproc_per_node={processes}']
        command += ['--master_addr=127.0.0.1', f'--master_port={port}']
    command += [__file__, '--worker', str(out), '--videos', str(videos), '--steps', str(steps)]
    environment = os.environ | {'OMP_NUM_THREADS': str(2 // processes), 'PYTHONPATH': str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return (
        json.loads((out / 'seconds.json').read_text()),
        torch.load(out / 'gradients.pth', weights_only=True),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--videos', type=int, default=8, help='in a batch, of 6 segments each')
    parser.add_argument('--steps', type=int, default=30, help='counted in each run')
    parser.add_argument('--runs', type=int, default=5, help='of each kind, in turn')
    parser.add_argument('--quick', action='store_true', help='a smoke run')
    parser.add_argument('--worker', type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        worker(args.videos, args.steps, args.worker)
        return
    runs, steps = (1, 1) if args.quick else (args.runs, args.steps)
    rates: dict[int, list[float]] = {1: [], 2: []}
    gradients: dict[int, dict] = {}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(runs):
            for processes, found in rates.items():
                out = Path(folder) / f'{turn}_{processes}'
                seconds, gradients[processes] = run(processes, args.videos, steps, out)
                found.append(args.videos * SEGMENTS / statistics.median(seconds))
                print(f'{processes} process(es): {found[-1]:.1f} clips/s', flush=True)
    apart = max(
        float((gradients[2][name] - one).abs().max() / one.abs().max().clamp(min=1e-12))
        for name, one in gradients[1].items()
    )
    medians = {processes: statistics.median(found) for processes, found in rates.items()}
    peer = '1 process, 2 threads'
    ratio = medians[2] / medians[1]
    figures = [
        Figure('processes/1 x 2 threads', medians[1], 'clips/s', None, None, rates[1]),
        Figure('processes/2 x 1 thread', medians[2], 'clips/s', peer, ratio, rates[2]),
        Figure('processes/gradients apart', apart, 'relative', None, None, [apart]),
    ]
    show('Processes', figures)


if __name__ == '__main__':
    main()
