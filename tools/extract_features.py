"""Write what a frozen backbone makes of a split's videos.

python tools/extract_features.py CONFIG CHECKPOINT --split train --out features.npz
python tools/extract_features.py CONFIG --random-init --split test --out reference.npz

The .npz has ids, labels, classes and polarity, and by modality <modality>_segments (n, S, D), its mean
over segments <modality> (n, D) and has_<modality> (n,). Videos that cannot be read are left out, and
named in unreadable_ids with unreadable_reasons.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[1])
if _ROOT not in sys.path:  # run as a file, only this folder is on the path
    sys.path.insert(0, _ROOT)

from tools.probe_arguments import add_weights_arguments, chosen_weights  # noqa: E402


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_weights_arguments(parser, is_several=False)
    parser.add_argument('--split', choices=('train', 'test'), required=True, help='videos to read')
    parser.add_argument('--out', metavar='FILE', required=True, help='.npz to write')
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, or 2 for wrong input."""
    parser = build_parser()
    args = parser.parse_intermixed_args(arguments)
    import mart_mm  # noqa: F401  first: it repairs what is imported below

    # isort: split
    from mart_mm.apis.extract import extract_features, save_features
    from mart_mm.apis.frozen import frozen_recognizer, read_config

    weights = chosen_weights(args)
    if len(weights) != 1:
        parser.error('give either a checkpoint, or --random-init, or --pretrained-init')
    try:
        cfg = read_config(args.config, args.cfg_options, args.data)
        features = extract_features(frozen_recognizer(cfg, weights[0]), cfg, args.split)
        save_features(args.out, features, weights[0])
    except (OSError, LookupError, TypeError, ValueError) as error:
        print(error.args[0] if isinstance(error, KeyError) else error, file=sys.stderr)
        return 2
    shapes = ', '.join(f'{name} {m.segments.shape}' for name, m in features.modalities.items())
    absent = ', '.join(f'{name} {(~m.is_present).sum()}' for name, m in features.modalities.items())
    print(f'{args.out}: {weights[0]}: {len(features.ids)} videos of {args.split}; {shapes}')
    print(f'videos without: {absent}; not readable: {len(features.unreadable)}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
