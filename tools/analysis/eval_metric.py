"""Score predictions again, with other metrics or options, without model and without videos.

PREDICTIONS is the .json file of `tools/test.py CONFIG CHECKPOINT --dump`; the metrics are those of the
config's test_evaluator:

    python tools/analysis/eval_metric.py CONFIG scores.json --cfg-options test_evaluator.type=MyMetric
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[2])
if _ROOT not in sys.path:  # run as a file, only this folder is on the path
    sys.path.insert(0, _ROOT)

from mart_mm.utils.arguments import add_cfg_options, add_config  # noqa: E402


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_config(parser)
    parser.add_argument('predictions', help='.json file of a test run with --dump')
    parser.add_argument('--json', metavar='FILE', help='write the metrics')
    add_cfg_options(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, 2 for wrong input."""
    args = build_parser().parse_args(arguments)
    import mart_mm  # noqa: F401  first: it repairs what is imported below

    # isort: split
    from mmengine.config import Config

    from mart_mm.apis.rescore import rescore
    from mart_mm.utils.atomic import write_text
    from mart_mm.zoo.configs import resolve_config

    try:
        cfg = Config.fromfile(resolve_config(args.config))
        cfg.merge_from_dict(args.cfg_options)
        metrics = rescore(cfg, args.predictions)
    except (OSError, LookupError, TypeError, ValueError) as error:
        print(error.args[0] if isinstance(error, KeyError) else error, file=sys.stderr)
        return 2
    for name, value in metrics.items():
        print(f'{name:<28} {value:.4f}')
    if args.json:
        write_text(args.json, json.dumps(metrics, indent=1) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
