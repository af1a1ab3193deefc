"""How much emotion a linear and a kNN classifier read from a backbone that is not trained further.

python tools/analysis/probe.py CONFIG CHECKPOINT [CHECKPOINT ...] [--random-init] [--json FILE]

Checkpoints may be of any stage and of any row whose backbone is the config's, so one command compares
pretexts. The features are standardised by the training split; the linear probe is a logistic regression
whose C is chosen by cross-validation within it, the kNN probe a vote by cosine similarity. Without
features, the most frequent training class is scored. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[2])
if _ROOT not in sys.path:  # run as a file, only this folder is on the path
    sys.path.insert(0, _ROOT)

from tools.probe_arguments import add_weights_arguments, chosen_weights  # noqa: E402


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_weights_arguments(parser, is_several=True)
    parser.add_argument(
        '--neighbours', type=int, choices=(5, 10, 20), default=20, help='of the kNN probe (20)'
    )
    parser.add_argument(
        '--seed', type=int, default=0, help="of the linear probe's cross-validation (0)"
    )
    parser.add_argument('--json', metavar='FILE', help='write command, config, weights and figures')
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, or 2 for wrong input."""
    parser = build_parser()
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    args = parser.parse_intermixed_args(arguments)
    import mart_mm  # noqa: F401  first: it repairs what is imported below

    # isort: split
    from mart_mm.apis.frozen import read_config
    from mart_mm.apis.probe_table import markdown, probe_weights
    from mart_mm.utils.atomic import write_text

    weights = chosen_weights(args)
    if not weights:
        parser.error('give checkpoints, --random-init or --pretrained-init')
    try:
        cfg = read_config(args.config, args.cfg_options, args.data)
        content = probe_weights(cfg, weights, k=args.neighbours, seed=args.seed)
    except (OSError, LookupError, TypeError, ValueError) as error:
        print(error.args[0] if isinstance(error, KeyError) else error, file=sys.stderr)
        return 2
    print(markdown(content))
    if args.json:
        command = shlex.join(['python', 'tools/analysis/probe.py', *arguments])
        text = json.dumps(dict(command=command) | content, indent=1, ensure_ascii=False)
        write_text(args.json, text + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
