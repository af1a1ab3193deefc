"""Plant a small data set of real mp4 files, pretrain and finetune MART on it, compare, draw.

The videos go to data/planted of the current folder, runs, figures and pictures to --out. It takes minutes
on two processor cores and needs neither GPU nor downloads. `mart-mm infer` takes the trained model from
demo_out.
"""

from __future__ import annotations

import argparse

HELP = 'train MART on a data set that it plants, and show what it learned'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument('--out', default='demo_out', help='folder of the results (%(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the training runs (%(default)s)')


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    from mart_mm.apis.demo.run import run_demo

    run_demo(args.out, args.seed)
    return 0
