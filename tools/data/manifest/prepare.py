"""Check a manifest of own videos and write a config that trains on it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
if str(_ROOT) not in sys.path:  # run as a file, only this folder is on the path
    sys.path.insert(0, str(_ROOT))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; 1 when files are missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('manifest', help='.csv or .jsonl')
    parser.add_argument('--out', default='my_config.py', help='config to write')
    parser.add_argument(
        '--base',
        default=str(_ROOT / 'configs' / 'mart' / 'mart_mbt_manifest.py'),
        help='config to inherit from',
    )
    parser.add_argument(
        '--polarity', nargs='*', default=[], metavar='LABEL=SIGN', help='such as awe=1 bored=-1'
    )
    parser.add_argument(
        '--epochs', nargs=2, type=int, metavar=('PRETRAIN', 'FINETUNE'), help="default: the base's"
    )
    args = parser.parse_args(arguments)
    from mart_mm.apis.manifest import inspect_manifest, manifest_config, parse_polarity
    from mart_mm.utils.atomic import write_text

    try:
        polarity = parse_polarity(args.polarity)
        report = inspect_manifest(args.manifest)
        text = manifest_config(report, args.base, args.out, polarity, args.epochs)
        if Path(args.out).suffix != '.py':
            raise ValueError(f'--out {args.out}: a config is a .py file')
        write_text(args.out, text)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    for split, counts in report.counts.items():
        shares = ', '.join(f'{name} {counts[name]}' for name in report.classes)
        print(f'{split}: {counts.total()} rows: {shares}')
    for line in report.missing:
        print(f'missing: {line}')
    for line in report.doubts:
        print(f'note: {line}')
    print(f'{args.out} written; next: python tools/train.py {args.out}')
    if report.missing:
        print('these rows are skipped; a run stops when they are more than a tenth')
    return 1 if report.missing else 0


if __name__ == '__main__':
    sys.exit(main())
