"""Write a checkpoint's weights as .safetensors, to give them away.

Optimiser, log and config are left out; classes and preprocessing are kept, so that the file is all that
`mart-mm infer`, `ui` and `export` need. Its name ends with its hash, which is verified when it is loaded.
"""

from __future__ import annotations

import argparse

HELP = "write a checkpoint's weights as .safetensors, to give them away"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument('checkpoint', help='written by training')
    parser.add_argument(
        '--out', help='NAME.safetensors; the hash is put behind NAME (that of the checkpoint)'
    )


def run(args: argparse.Namespace) -> int:
    """Publish; returns the exit code."""
    import sys

    from mart_mm.apis.publish import publish

    try:
        print(publish(args.checkpoint, args.out))
    except OSError as error:  # it is missing, or there is no room for what is written
        print(error, file=sys.stderr)
        return 2
    return 0
