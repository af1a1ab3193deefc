"""Make a config that trains on precomputed features: yours, or those of a pickle in MMSA's layout.

python tools/data/import_features.py unaligned_50.pkl --out data/mosi
python tools/data/import_features.py my/manifest.csv --out my
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
if str(_ROOT) not in sys.path:  # run as a file, only this folder is on the path
    sys.path.insert(0, str(_ROOT))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; 1 when files of features cannot be used."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'source', help='a pickle, no code in it is run; or a manifest (.csv, .jsonl) of own files'
    )
    parser.add_argument(
        '--out', required=True, help='folder to write: config and statistics, of a pickle all files'
    )
    parser.add_argument(
        '--base',
        default=str(_ROOT / 'configs' / 'features' / 'mart_features_manifest.py'),
        help='config to inherit from',
    )
    parser.add_argument(
        '--polarity', nargs='*', default=[], metavar='LABEL=SIGN', help='such as awe=1 bored=-1'
    )
    parser.add_argument(
        '--epochs', nargs=2, type=int, metavar=('PRETRAIN', 'FINETUNE'), help="default: the base's"
    )
    parser.add_argument(
        '--zero-nonfinite',
        action='store_true',
        help='of a pickle: put 0 in the place of values that are not finite',
    )
    args = parser.parse_args(arguments)
    from mart_mm.apis.feature_config import write_feature_config
    from mart_mm.apis.import_features import import_features
    from mart_mm.apis.manifest import parse_polarity
    from mart_mm.errors import MediaError

    try:
        polarity = parse_polarity(args.polarity)
        manifest = Path(args.source)
        if manifest.suffix not in ('.csv', '.jsonl'):
            report = import_features(args.source, args.out, zero_nonfinite=args.zero_nonfinite)
            for name, count in sorted(report.lacking.items()):
                print(f'{count} records without {name}')
            for name, count in sorted((+report.zeroed).items()):
                print(f'{count} {name} values were not finite and are 0 now')
            manifest = Path(args.out) / 'manifest.csv'
        config, found = write_feature_config(manifest, args.out, args.base, polarity, args.epochs)
    except (MediaError, OSError, ValueError) as error:
        parser.error(str(error))
    for split, counts in found.counts.items():
        print(f'{split}: {counts.total()} rows: {", ".join(f"{n} {c}" for n, c in counts.items())}')
    for line in found.problems:
        print(f'cannot be used: {line}')
    for line in found.doubts:
        print(f'note: {line}')
    print(f'{config} written; next: python tools/train.py {config}')
    return 1 if found.problems else 0


if __name__ == '__main__':
    sys.exit(main())
