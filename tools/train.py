"""Train: python tools/train.py CONFIG [--work-dir DIR] [--resume] [--amp] [--smoke] [--cfg-options ...]."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import mart_mm  # noqa: E402, F401  first: it repairs what is imported below
from mart_mm.apis.run import add_common_arguments, load_config, scale_lr, train, use_amp  # noqa: E402
from mart_mm.apis.shrink import shrink  # noqa: E402


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_common_arguments(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='go on from the newest checkpoint of the work directory, or from the one given',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision (GPU only)')
    parser.add_argument('--no-validate', action='store_true', help='do not evaluate while training')
    parser.add_argument(
        '--auto-scale-lr', action='store_true', help='scale the learning rate to the batch size'
    )
    parser.add_argument(
        '--smoke',
        action='store_true',
        help='try config and data in seconds: small networks, four videos, two steps of each stage',
    )
    return parser.parse_args()


def main() -> None:
    """Train as the arguments say."""
    args = parse_args()
    cfg = load_config(args)
    if args.smoke:
        shrink(cfg)
        if not args.work_dir:
            cfg.work_dir += '_smoke'  # no --resume of the real run takes it up
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        use_amp(cfg)
    if args.resume:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    if args.auto_scale_lr:
        scale_lr(cfg)
    train(cfg)


if __name__ == '__main__':
    main()
