"""Write ``docs/cost.md``: what each config costs, and how cost grows.

Counted are parameters and the FLOPs of forward passes (``tools/analysis/flops.py``), for each
method at full size and for its planted child. Measured are training steps, forward and backward
pass on random numbers: of the planted configs, and with ``--full`` of MART and supervised MBT at
full size. The table of growth is that of ``benchmarks/run_all.py growth``.

What was counted and measured is kept in ``benchmarks/results/cost_table.json``: a run that was
stopped goes on, ``--measure-again`` and ``--count-again`` forget.

    python benchmarks/cost_table.py [--full] [--counts-only] [--measure-again] [--count-again]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from datetime import date

from harness import ROOT, alternate, machine

RESULTS = ROOT / 'benchmarks' / 'results'
FULL = ('mart/mart_mbt_ekman6.py', 'supervised/mbt_ekman6.py')
PROGRESS = 0.5  # of the pretraining stage: how many tokens are hidden
NONE = '-'


def configs() -> list[str]:
    """Each method at full size, then each planted child, below ``configs``."""
    folder = ROOT / 'configs'
    full = [path.relative_to(folder).as_posix() for path in sorted(folder.glob('*/*_ekman6.py'))]
    planted = [name.replace('_ekman6', '_planted') for name in full]
    return full + [name for name in planted if (folder / name).is_file()]


def count(name: str) -> dict:
    """Parameters, and FLOPs of the forward passes per video."""
    from synthetic import Config

    from tools.analysis.flop_stages import build, count_config

    cfg = Config.fromfile(ROOT / 'configs' / name)
    pretext = build(cfg).pretext
    videos = 1 if pretext is None else max(1, pretext.min_videos)
    parameters, stages = count_config(cfg, progress=(PROGRESS,), batch_size=videos)
    pretrain = [stage for stage in stages if stage.stage != 'finetune']
    own, passes = [], 0
    for stage in pretrain:  # behind the config's own masked pass stands that of the other way
        is_masked = 'masked pass, progress' in stage.stage
        passes += is_masked
        if not is_masked or passes == 1:
            own.append(stage.total / videos)
    return dict(
        parameters=sum(parameters.values()),
        finetune=stages[0].total / videos,
        pretrain=sum(own) if own else None,
    )


def measure(name: str, runs: int) -> dict:
    """Clips per second of the steps of both stages, and peak memory; in this process."""
    from synthetic import Config, batch, build, train_step

    from tools.analysis.flop_stages import find_num_segments

    cfg = Config.fromfile(ROOT / 'configs' / name)
    before, found = _peak(), {}
    segments = find_num_segments(cfg.get('train_dataloader'))
    for stage in ('finetune', 'pretrain'):
        model = build(cfg, stage)
        if stage == 'pretrain' and model.pretext is None:
            continue
        videos = 1 if model.pretext is None else max(1, model.pretext.min_videos)
        step = train_step(model, batch(model, videos, segments))
        seconds = alternate({stage: step}, runs, warmup=min(2, runs - 1))[stage]
        found[stage] = videos * segments / statistics.median(seconds)
    return found | dict(memory=_peak() - before)


def _peak() -> float:
    """MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_apart(name: str, runs: int) -> dict:
    """:func:`measure` in a process of its own."""
    command = [sys.executable, __file__, '--measure-one', name, '--runs', str(runs)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        print(f'{name}: not measured\n{done.stderr}', file=sys.stderr)
        return {}
    return json.loads(done.stdout.splitlines()[-1])


def _number(value: float | None, scale: float = 1.0) -> str:
    if value is None:
        return NONE
    value /= scale
    return f'{value:,.0f}' if value >= 100 else f'{value:.3g}'


def rows(kept: dict) -> Iterator[str]:
    """Lines of the table of configs."""
    yield (
        '| config | parameters, M | GFLOP, fine-tuning | GFLOP, pretraining '
        '| clips/s, fine-tuning | clips/s, pretraining | memory, MiB |'
    )
    yield '|---|---|---|---|---|---|---|'
    for name in configs():
        counted, seen = kept['counted'].get(name, {}), kept['measured'].get(name, {})
        cells = [
            f'`{name}`',
            _number(counted.get('parameters'), 1e6),
            _number(counted.get('finetune'), 1e9),
            _number(counted.get('pretrain'), 1e9),
            *(_number(seen.get(key)) for key in ('finetune', 'pretrain', 'memory')),
        ]
        yield f'| {" | ".join(cells)} |'


def growth_rows() -> Iterator[str]:
    """Lines of the table of growth."""
    file = RESULTS / 'growth.jsonl'
    if not file.is_file():
        yield 'Not measured yet: `python benchmarks/run_all.py growth`.'
        return
    yield '| what | measured exponent | expected |'
    yield '|---|---|---|'
    for line in file.read_text(encoding='utf-8').splitlines():
        figure = json.loads(line)
        name, expected = figure['name'].split('/')[1], figure['peer'].removeprefix('expected ')
        yield f'| {name} | {figure["value"]:.2f} | {expected} |'


def page(kept: dict) -> str:
    """The Markdown."""
    commit = subprocess.run(
        ['git', 'rev-parse', '--short', 'HEAD'], capture_output=True, text=True, cwd=ROOT
    ).stdout.strip()
    lines = [
        '# Cost',
        '',
        f'Written by `python benchmarks/cost_table.py` at commit {commit or "unknown"} on '
        f'{date.today()}. Measured on: {kept["machine"] or "nothing yet"}.',
        '',
        'Parameters include frozen ones. GFLOP are those of forward passes per video, a '
        'multiplication with its addition as two, as `tools/analysis/flops.py` counts them; '
        'pretraining sums its passes halfway through the stage. A backward pass costs about twice '
        'its forward pass. Frozen teachers (CLIP, optical flow) are not counted.',
        '',
        'A clip is one segment of a video with its sound. Clips per second are those of a '
        'training step, forward and backward, on random numbers and the fewest videos the method '
        'can train on; memory is the peak above that of the imports, over both stages. Each config was '
        'measured once: on a shared machine, where one step runs at half the speed of the next, rates tell '
        'methods apart that differ by a factor of two or more.',
        '',
        *rows(kept),
        '',
        '## Growth',
        '',
        "Exponents of time in size by least squares over the logarithms; a step's expected one is "
        'that of its FLOPs over the same sizes (`benchmarks/growth.py`).',
        '',
        *growth_rows(),
    ]
    return '\n'.join(lines) + '\n'


def main() -> int:
    """Command line; 1 when something could not be counted or measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--full', action='store_true', help=f'measure one step of {FULL}')
    parser.add_argument('--counts-only', action='store_true', help='measure nothing')
    parser.add_argument('--count-again', action='store_true')
    parser.add_argument('--measure-again', action='store_true')
    parser.add_argument('--runs', type=int, default=5, help='steps of a planted config')
    parser.add_argument('--measure-one', metavar='CONFIG', help='print what it measures as JSON')
    args = parser.parse_args()
    if args.measure_one:
        print(json.dumps(measure(args.measure_one, args.runs)))
        return 0

    from mart_mm.utils.atomic import write_text

    file = RESULTS / 'cost_table.json'
    kept = json.loads(file.read_text()) if file.is_file() else {}
    kept = dict(counted={}, measured={}, machine=None) | kept
    if args.count_again:
        kept['counted'] = {}
    if args.measure_again:
        kept['measured'] = {}
    for name in configs():
        if name not in kept['counted']:
            print(f'count {name}', flush=True)
            kept['counted'][name] = count(name)
        is_planted = name.endswith('_planted.py')
        is_wanted = not args.counts_only and (is_planted or (args.full and name in FULL))
        if is_wanted and not kept['measured'].get(name):
            print(f'measure {name}', flush=True)
            kept['measured'][name] = measure_apart(name, args.runs if is_planted else 1)
            kept['machine'] = machine()
        write_text(file, json.dumps(kept, indent=1) + '\n')
    write_text(ROOT / 'docs' / 'cost.md', page(kept))
    wanted = [name for name in kept['measured'] if not kept['measured'][name]]
    return 1 if wanted else 0


if __name__ == '__main__':
    sys.exit(main())
