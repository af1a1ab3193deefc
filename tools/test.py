"""Evaluate: python tools/test.py CONFIG CHECKPOINT [--dump SCORES] [--cfg-options ...]."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import mart_mm  # noqa: E402, F401  first: it repairs what is imported below
from mart_mm.apis.run import add_common_arguments, build_runner, load_config  # noqa: E402


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--dump', help='write the scores of each video to DUMP.json and DUMP.csv')
    return parser.parse_args()


def main() -> None:
    """Evaluate as the arguments say."""
    args = parse_args()
    cfg = load_config(args)
    cfg.load_from = args.checkpoint
    if args.dump:
        evaluator = cfg.test_evaluator
        (evaluator[0] if isinstance(evaluator, list) else evaluator).dump = args.dump
    build_runner(cfg).test()


if __name__ == '__main__':
    main()
