"""What the benchmarks of the training step share: their options, a step, its memory, its figures."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

from harness import Figure, alternate, matmul_rate, peak_memory

import mart_mm  # noqa: F401  first: it repairs what is imported below

# isort: split
import torch
from torch import Tensor, nn

DTYPES = dict(bf16=torch.bfloat16, fp16=torch.float16)


class Setting(NamedTuple):
    """How steps are run.

    Attributes:
        device: ``'cpu'`` or ``'cuda'``.
        amp: ``'bf16'``, ``'fp16'`` or None for float32.
        compiled: Whether transformer blocks are compiled.
    """

    device: str
    amp: str | None
    compiled: bool

    def autocast(self) -> AbstractContextManager:
        """Mixed precision, if any."""
        return torch.autocast(self.device, dtype=DTYPES[self.amp]) if self.amp else nullcontext()

    def options(self) -> list[str]:
        """The command-line options that mean this."""
        found = ['--device', self.device]
        return found + (['--amp', self.amp] if self.amp else []) + ['--compile'] * self.compiled


def parser(doc: str) -> argparse.ArgumentParser:
    """Options that all have."""
    found = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    found.add_argument('--device', choices=['cpu', 'cuda'], default='cpu')
    found.add_argument('--amp', choices=sorted(DTYPES), help='mixed precision')
    found.add_argument('--compile', action='store_true', help='compile transformer blocks')
    found.add_argument('--runs', type=int, default=5, help='counted runs of each candidate')
    found.add_argument('--sizes', type=int, nargs='+', default=[112, 224], help='pixels')
    found.add_argument('--quick', action='store_true', help='a smoke run: tiny, one run of each')
    # what a fresh process is asked for: candidate and size
    found.add_argument('--measure', nargs=2, metavar=('NAME', 'SIZE'), help=argparse.SUPPRESS)
    return found


def setting_of(args: argparse.Namespace) -> Setting:
    """From the options."""
    return Setting(args.device, args.amp, args.compile)


def training_step(
    model: nn.Module, loss: Callable[[], Tensor], setting: Setting
) -> Callable[[], None]:
    """Forward and backward pass; gradients are dropped behind it.

    Args:
        model: Whose gradients they are.
        loss: The forward pass.
        setting: How it is run.
    """

    def step() -> None:
        with setting.autocast():
            value = loss()
        value.backward()
        model.zero_grad(set_to_none=True)
        if setting.device == 'cuda':
            torch.cuda.synchronize()

    return step


def rate_of(shapes: list[tuple[int, int, int]], setting: Setting) -> Figure:
    """GFLOP/s of matrix products of these shapes, in the precision of the step."""
    if setting.device == 'cpu' and not setting.amp:
        rate, runs = matmul_rate(shapes)
        return Figure('matmul', rate, 'GFLOP/s', None, None, runs)
    dtype = DTYPES.get(setting.amp, torch.float32)
    pairs = [(torch.randn(m, k), torch.randn(k, n), 2 * m * k * n / 1e9) for m, k, n in shapes]
    pairs = [(a.to(setting.device, dtype), b.to(setting.device, dtype), g) for a, b, g in pairs]
    repeats = 20 if setting.device == 'cuda' else 1
    runs = []
    for _ in range(7):
        began = time.perf_counter()
        for _ in range(repeats):
            for a, b, _ in pairs:
                a @ b
        if setting.device == 'cuda':
            torch.cuda.synchronize()
        runs.append(repeats * sum(g for *_, g in pairs) / (time.perf_counter() - began))
    return Figure('matmul', statistics.median(runs[2:]), 'GFLOP/s', None, None, runs[2:])


def vit_shapes(tokens: int, dims: int = 768) -> list[tuple[int, int, int]]:
    """Matrix products of a transformer block on this many tokens."""
    return [
        (tokens, dims, 3 * dims),
        (tokens, dims, dims),
        (tokens, dims, 4 * dims),
        (tokens, 4 * dims, dims),
    ]


def time_figures(
    prefix: str, steps: dict[str, Callable[[], None]], clips: int, runs: int
) -> list[Figure]:
    """Milliseconds per clip of candidates that take turns.

    Args:
        prefix: Of the figures' names.
        steps: Candidate to its step; the first one is ours.
        clips: Clips of 16 frames in a step.
        runs: Counted runs of each.
    """
    seconds = alternate(steps, runs)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ours = next(iter(steps))
    figures = []
    for name, values in seconds.items():
        millis = [1e3 * value / clips for value in values]
        figures.append(
            Figure(f'{prefix}/{name}', 1e3 * medians[name] / clips, 'ms/clip', None, None, millis)
        )
    for name in list(steps)[1:]:
        # the median of the runs' ratios: neighbours in time share the machine's mood
        ratios = [b / a for a, b in zip(seconds[ours], seconds[name], strict=True)]
        ratio = statistics.median(ratios)
        figures.append(Figure(f'{prefix}/{name} over {ours}', ratio, 'x', name, ratio, ratios))
    return figures


def memory_figures(
    prefix: str, script: str, names: Iterable[str], size: int, setting: Setting
) -> list[Figure]:
    """Peak memory in MiB of one step, over what a process has once everything is imported.

    Args:
        prefix: Of the figures' names.
        script: File of the benchmark; started with ``--measure NAME SIZE``, it builds the candidate
            and takes one step, with the name ``import`` nothing.
        names: Candidates, ours first.
        size: Pixels.
        setting: How steps are run; on CUDA the script prints what the device allocated.
    """

    def peak(name: str) -> float:
        return peak_memory([script, '--measure', name, str(size), *setting.options()])

    base = peak('import')
    found = {name: peak(name) - base for name in names}
    ours = next(iter(found))
    return [
        Figure(
            f'{prefix}/{name}',
            value,
            'MiB',
            None if name == ours else f'{name} over {ours}',
            None if name == ours else value / found[ours],
            [value],
        )
        for name, value in found.items()
    ]


def device_memory(step: Callable[[], None], name: str) -> Figure:
    """Peak of what CUDA allocates in a step, MiB."""
    torch.cuda.reset_peak_memory_stats()
    step()
    value = torch.cuda.max_memory_allocated() / 2**20
    return Figure(name, value, 'MiB', None, None, [value])


def print_lines(figures: list[Figure]) -> list[Figure]:
    """Print figures as they come; returns them."""
    for figure in figures:
        print(figure.line(), flush=True)
    return figures
