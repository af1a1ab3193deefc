"""Run and print a table of the paper.

python tools/analysis/tables.py --table 3 --data planted --seeds 5
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # run as a file, only this folder is on the path
    sys.path.insert(0, str(ROOT))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        '--table', type=int, required=True, help='1 to 5 of the paper; 6: MART on other networks'
    )
    parser.add_argument('--data', default='planted', help='planted, ekman6, ve8, perr, ...')
    parser.add_argument('--seeds', type=int, default=5, help='runs of each row: seeds 0, 1, ...')
    parser.add_argument('--rows', nargs='*', help='names of rows; default: all that have a config')
    parser.add_argument('--jobs', type=int, default=2, help='runs at a time')
    parser.add_argument('--threads', type=int, default=1, help='threads of each run')
    parser.add_argument('--work-dir', default='work_dirs/tables', help='where runs are kept')
    parser.add_argument('--out', default='docs/results', help='where the table is written')
    parser.add_argument('--dry-run', action='store_true', help='list what would run')
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what has not run yet, then print the table; 1 when a run failed."""
    args = parse(arguments)
    from mart_mm.utils.atomic import write_text
    from tools.analysis.paper_tables.cost import recipe, step_gflop
    from tools.analysis.paper_tables.planted import data_options, plant
    from tools.analysis.paper_tables.report import (
        comma_separated,
        markdown,
        metric_names,
        table_json,
    )
    from tools.analysis.paper_tables.rows import get_table
    from tools.analysis.paper_tables.runs import Run, execute_all

    table = get_table(args.table)
    work_dir = Path(args.work_dir).resolve() / args.data
    rows = [row for row in table.rows if not args.rows or row.name in args.rows]
    planned = {}
    for row in rows:
        config = ROOT / 'configs' / row.path(args.data)
        if not config.exists():
            print(f'{row.name}: no config {config.relative_to(ROOT)}')
            continue
        for seed in range(args.seeds):
            folder = work_dir / Path(row.config).name / f'seed{seed}'
            options = data_options(args.data, seed, work_dir)
            planned[row.name, seed] = Run(config, seed, folder, options)
    missing = [run for run in planned.values() if run.result() is None]
    print(f'{len(planned)} runs, {len(missing)} of them to do')
    if args.dry_run:
        for run in missing:
            print(f'  {run.config.relative_to(ROOT)} seed {run.seed}')
        return 0

    if args.data == 'planted':
        for seed in sorted({run.seed for run in missing}):
            plant(seed, work_dir, args.jobs)

    def report(run: Run, result: dict) -> None:
        accuracy = result['metrics']['emotion_acc']
        print(f'{run.config.stem} seed {run.seed}: {accuracy:.1f} in {result["seconds"]:.0f} s')

    failed = list(execute_all(missing, args.jobs, args.threads, report))
    for _, reason in failed:
        print(reason, file=sys.stderr)
    results: dict = {}
    for (name, seed), run in planned.items():
        result = run.result()
        if result is not None:
            results.setdefault(name, {})[seed] = result
    if not results:
        return 1
    first = next(iter(next(iter(results.values())).values()))
    classes = [key[7:] for key in first['metrics'] if key.startswith('recall_')]
    names = metric_names(table, classes)
    header = dict(
        commit=', '.join(sorted({r['commit'] for by in results.values() for r in by.values()})),
        machine=f'{platform.machine()}, {_cores()} cores, torch on CPU, {args.threads} thread(s) a run',
        command=f'python tools/analysis/tables.py --table {args.table} --data {args.data} '
        f'--seeds {args.seeds}',
        seeds=list(range(args.seeds)),
    )
    training = {}
    for name in results:
        run = planned[name, min(results[name])]
        training[name] = dict(
            config=str(run.config.relative_to(ROOT)),
            recipe=recipe(run.config),
            step_gflop=step_gflop(run.config, run.options),
        )
    content = table_json(table, results, names, header, training)
    text = markdown(table, content, args.data, names)
    stem = Path(args.out) / f'table{args.table}_{args.data}'
    import json

    write_text(stem.with_suffix('.json'), json.dumps(content, indent=1) + '\n')
    write_text(stem.with_suffix('.csv'), comma_separated(content, names))
    title = f'# Table {args.table}: {table.title} ({args.data})\n\n'
    note = f'`{header["command"]}` at {header["commit"]}; {header["machine"]}.\n\n'
    write_text(stem.with_suffix('.md'), title + note + text)
    print(text)
    return 1 if failed else 0


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()


if __name__ == '__main__':
    sys.exit(main())
