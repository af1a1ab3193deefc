"""Draw what the model will see: python tools/analysis/browse_dataset.py CONFIG [--split train] [--num 8].

Runs the config's own pipeline and draws a picture per sample: frames after cropping and augmentation,
log-mel, and the words with the lexicon's cues, per segment. With a checkpoint also the prediction and
the level its verifier gives each cue. The exit code is 1 when no sample could be read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[2])
if _ROOT not in sys.path:  # run as a file, only this folder is on the path
    sys.path.insert(0, _ROOT)

from tools.cfg_options import add_cfg_options  # noqa: E402


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('--split', choices=('train', 'val', 'test'), default='train')
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        '--num', type=int, default=8, help='samples, spread evenly over the split (%(default)s)'
    )
    chosen.add_argument('--indices', type=int, nargs='+', help='these samples instead')
    parser.add_argument('--frames', type=int, default=4, help='drawn per segment (%(default)s)')
    parser.add_argument('--checkpoint', help='weights of the config: adds predictions and levels')
    parser.add_argument('--out', help='folder of the pictures (work_dirs/CONFIG/browse_SPLIT)')
    add_cfg_options(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = build_parser()
    args = parser.parse_args(arguments)
    if min(args.num, args.frames) < 1:
        parser.error('--num and --frames must be at least 1')
    import mart_mm  # noqa: F401  first: it repairs what is imported below

    # isort: split
    from mmengine.config import Config

    from mart_mm.apis.browse import browse, choose_indices, load_recognizer
    from mart_mm.apis.splits import build_split

    out = args.out or f'work_dirs/{Path(args.config).stem}/browse_{args.split}'
    try:
        cfg = Config.fromfile(args.config)
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


if __name__ == '__main__':
    sys.exit(main())
