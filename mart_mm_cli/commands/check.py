"""Look for what would stop a run, before it is started.

Misspelt keys, options and types with the nearest right ones; folders, lists, lexicons and weights that are
missing, with the tree that is expected; samples and classes of each split; then one batch through the
pipeline, the preprocessor and the losses, the networks made small. The exit code is 1 when something is
wrong.
"""

from __future__ import annotations

import argparse

from mart_mm.utils.arguments import add_cfg_options, add_config

HELP = 'look for what would stop a run, before it is started'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_config(parser)
    parser.add_argument(
        '--no-batch', action='store_true', help='read config and lists only, decode and run nothing'
    )
    add_cfg_options(parser)


def run(args: argparse.Namespace) -> int:
    """Check; returns the exit code."""
    from mart_mm.apis.check.run import check
    from mart_mm.zoo.configs import resolve_config

    report = check(resolve_config(args.config), args.cfg_options, with_batch=not args.no_batch)
    print(report)
    return int(report.has_errors)
