"""Write mean and standard deviation of the features in a manifest's training rows."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[2])
if _ROOT not in sys.path:  # run as a file, only this folder is on the path
    sys.path.insert(0, _ROOT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; 1 when files could not be read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('manifest', help='.csv or .jsonl')
    parser.add_argument('--out', default='feature_stats.npz', help='file to write')
    args = parser.parse_args(arguments)
    import numpy as np

    from mart_mm.apis.feature_stats import feature_stats

    try:
        stats, failures = feature_stats(args.manifest)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    for line in failures:
        print(f'not read: {line}')
    Path(args.out).parent.mkdir(parents=True, exist_ok=True)
    np.savez(args.out, **stats)
    widths = ', '.join(
        f'{name[:-5]} {len(v)}' for name, v in stats.items() if name.endswith('mean')
    )
    print(f'{args.out} written; dimensions: {widths}')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
