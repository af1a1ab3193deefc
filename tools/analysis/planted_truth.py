"""Hold a pretrained MART against the truth of the planted data set.

python tools/analysis/planted_truth.py CONFIG CHECKPOINT --truth data/planted/truth.json
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import mart_mm  # noqa: E402, F401  first: it repairs what is imported below

# isort: split
from mmengine.config import Config  # noqa: E402

from mart_mm.apis.demo.truth_scores import score_truth  # noqa: E402


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config')
    parser.add_argument('checkpoint')
    parser.add_argument('--truth', default='data/planted/truth.json')
    args = parser.parse_args()
    print(
        json.dumps(score_truth(Config.fromfile(args.config), args.checkpoint, args.truth), indent=1)
    )


if __name__ == '__main__':
    main()
