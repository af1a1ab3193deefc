"""Print versions, devices, decoders and caches: what a report of a fault should hold."""

from __future__ import annotations

import argparse

HELP = 'print versions, devices, decoders and caches, for reports of faults'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument('--json', action='store_true', help='print JSON')


def run(args: argparse.Namespace) -> int:
    """Print it; returns the exit code."""
    import json

    from mart_mm.apis.environment import describe, table

    found = describe()
    print(json.dumps(found, indent=1) if args.json else table(found))
    return 0
