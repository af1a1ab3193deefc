"""List the models: names, aliases, what each is trained on, config and weights.

Weights are listed where they exist: published ones, or those of a finished `mart-mm demo` in demo_out.
"""

from __future__ import annotations

import argparse

HELP = 'list the models'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        'pattern', nargs='?', default='', help='list only names that contain this text'
    )
    parser.add_argument('--json', action='store_true', help='print JSON')


def run(args: argparse.Namespace) -> int:
    """Print the list; returns the exit code."""
    import json

    from mart_mm.zoo.listing import describe, table

    entries = describe(args.pattern)
    print(json.dumps(entries, indent=1) if args.json else table(entries))
    return 0
