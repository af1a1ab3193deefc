"""Evaluate a checkpoint on the test split of its config."""

from __future__ import annotations

import argparse

from mart_mm.utils.arguments import add_common_arguments

HELP = 'evaluate a checkpoint'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--dump', help='write the scores of each video to DUMP.json and DUMP.csv')


def run(args: argparse.Namespace) -> int:
    """Evaluate; returns the exit code."""
    from mart_mm.apis.run import configure_testing, evaluate

    evaluate(configure_testing(args))
    return 0
