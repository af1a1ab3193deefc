"""Run every measurement of this folder, one after the other, and keep their figures.

A script measures when it has a ``main``; its JSON lines, one per figure, go to
``benchmarks/results/NAME.jsonl``. A script that fails is named at the end and does not stop the
others.

    python benchmarks/run_all.py [NAME ...] [--quick]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
NO_MEASUREMENTS = ('run_all', 'cost_table', 'make_videos')


def measurements() -> list[str]:
    """Names of the scripts that measure."""
    return [
        path.stem
        for path in sorted(FOLDER.glob('*.py'))
        if path.stem not in NO_MEASUREMENTS
        and "__name__ == '__main__'" in path.read_text(encoding='utf-8')
    ]


def run(name: str, options: list[str]) -> int:
    """Run one, show what it prints, keep its figures; its exit status."""
    command = [sys.executable, str(FOLDER / f'{name}.py'), *options]
    figures = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=FOLDER.parent) as process:
        for line in process.stdout:
            print(line, end='', flush=True)
            if line.startswith('{"name"'):
                figures.append(line)
    if figures:
        results = FOLDER / 'results'
        results.mkdir(exist_ok=True)
        (results / f'{name}.jsonl').write_text(''.join(figures), encoding='utf-8')
    return process.returncode


def main() -> int:
    """Command line; 1 when a script failed."""
    names = measurements()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('names', nargs='*', metavar='NAME', help=f'default: {", ".join(names)}')
    parser.add_argument('--quick', action='store_true', help='passed on: short tries')
    args = parser.parse_args()
    unknown = [name for name in args.names if name not in names]
    if unknown:
        parser.error(f'no measurement {unknown[0]}: there are {", ".join(names)}')
    failed = [name for name in args.names or names if run(name, ['--quick'] * args.quick)]
    if failed:
        print(f'failed: {", ".join(failed)}', file=sys.stderr)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
