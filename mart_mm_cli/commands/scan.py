"""Decode every file to its end before a run meets the broken ones.

A TARGET is a media file, a folder of them, or a config whose data sets are scanned, all splits.
The exit code is 1 when a file is missing, broken or truncated, or stands with two labels; 2 for wrong
input.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

from mart_mm.apis.scan.findings import ERRORS, KINDS
from mart_mm.utils.arguments import add_cfg_options, positive_float, positive_int

HELP = 'decode every file of a data set and list what is wrong'


def _kinds(text: str) -> list[str]:
    chosen = [kind.strip() for kind in text.split(',') if kind.strip()]
    for kind in chosen:
        if kind not in KINDS:
            raise argparse.ArgumentTypeError(f'{kind!r} is no finding: {", ".join(KINDS)}')
    return chosen


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        'targets',
        nargs='+',
        metavar='TARGET',
        help='media file, folder, config (.py), or name of a model',
    )
    parser.add_argument('--json', metavar='FILE', help='write everything that was found')
    parser.add_argument('--csv', metavar='FILE', help='write the table')
    parser.add_argument('--jobs', type=positive_int, default=os.cpu_count() or 1, help='processes')
    parser.add_argument(
        '--min-seconds', type=float, default=1.0, help='shorter files are too short (%(default)s)'
    )
    parser.add_argument(
        '--timeout',
        type=positive_float,
        default=120.0,
        help='seconds without progress after which a decoder is given up (%(default)s)',
    )
    failing = parser.add_mutually_exclusive_group()
    failing.add_argument(
        '--fail-on',
        type=_kinds,
        default=list(ERRORS),
        metavar='FINDING,...',
        help=f'findings that give exit code 1 ({",".join(ERRORS)}); all: {",".join(KINDS)}',
    )
    failing.add_argument(
        '--strict',
        dest='fail_on',
        action='store_const',
        const=list(KINDS),
        help='every finding gives exit code 1',
    )
    add_cfg_options(parser)


def run(args: argparse.Namespace) -> int:
    """Scan; returns the exit code."""
    from mart_mm.apis.scan.run import scan
    from mart_mm.apis.scan.targets import collect
    from mart_mm.utils.atomic import write_text
    from mart_mm.zoo.configs import find_config

    try:
        names = [find_config(name) or name for name in args.targets]
        targets = collect(names, args.cfg_options)
    except (OSError, LookupError, TypeError, ValueError) as error:
        print(error.args[0] if isinstance(error, KeyError) else error, file=sys.stderr)
        return 2
    report = scan(targets, jobs=args.jobs, timeout=args.timeout, min_seconds=args.min_seconds)
    if args.json:
        write_text(args.json, json.dumps(report.to_json(), indent=1, ensure_ascii=False) + '\n')
    if args.csv:
        write_text(args.csv, report.to_csv())
    print(*filter(None, (report.table(), report.details(), report.summary())), sep='\n\n')
    return int(bool(report.failing(args.fail_on)))
