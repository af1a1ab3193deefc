"""Draw what the model will see.

Runs the config's own pipeline and draws a picture per sample: frames after cropping and augmentation,
log-mel, and the words with the lexicon's cues, per segment. With a checkpoint also the prediction and
the level its verifier gives each cue. The exit code is 1 when no sample could be read.
"""

from __future__ import annotations

import argparse
import sys

from mart_mm.utils.arguments import add_cfg_options, add_config, positive_int

HELP = 'draw what the model will see, a picture per sample'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_config(parser)
    parser.add_argument('--split', choices=('train', 'val', 'test'), default='train')
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        '--num',
        type=positive_int,
        default=8,
        help='samples, spread evenly over the split (%(default)s)',
    )
    chosen.add_argument('--indices', type=int, nargs='+', help='these samples instead')
    parser.add_argument(
        '--frames', type=positive_int, default=4, help='drawn per segment (%(default)s)'
    )
    parser.add_argument('--checkpoint', help='weights of the config: adds predictions and levels')
    parser.add_argument('--out', help='folder of the pictures (work_dirs/CONFIG/browse_SPLIT)')
    add_cfg_options(parser)


def run(args: argparse.Namespace) -> int:
    """Draw; returns the exit code."""
    from mmengine.config import Config

    from mart_mm.apis.browse import browse, choose_indices, load_recognizer
    from mart_mm.apis.splits import build_split
    from mart_mm.zoo.configs import resolve_config

    path = resolve_config(args.config)
    out = args.out or f'work_dirs/{path.stem}/browse_{args.split}'
    try:
        cfg = Config.fromfile(path)
        cfg.merge_from_dict(args.cfg_options)
        data_set = build_split(cfg, args.split)
        indices = choose_indices(len(data_set), args.num, args.indices)
        recognizer = load_recognizer(cfg, args.checkpoint) if args.checkpoint else None
    except (OSError, LookupError, RuntimeError, TypeError, ValueError) as error:
        print(error.args[0] if isinstance(error, KeyError) else error, file=sys.stderr)
        return 2
    drawn, failed = 0, 0
    for sample in browse(data_set, indices, out, recognizer, args.frames):
        print(sample.line, flush=True)
        drawn, failed = drawn + (not sample.failure), failed + bool(sample.failure)
    print(f'{drawn} samples drawn in {out}, {failed} failed')
    return int(drawn == 0)
