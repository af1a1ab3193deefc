"""Print a config as a run reads it: bases merged, options applied.

What is printed is a config too: --save-path writes it as a file that inherits from no other.
"""

from __future__ import annotations

import argparse
import sys

from mart_mm.utils.arguments import add_cfg_options, add_config

HELP = 'print a config as a run reads it, bases and options merged'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_config(parser)
    add_cfg_options(parser)
    parser.add_argument('--save-path', metavar='FILE', help='write it to a .py file too')


def run(args: argparse.Namespace) -> int:
    """Print it; returns the exit code."""
    from mart_mm.apis.resolved_config import resolved_text
    from mart_mm.utils.atomic import write_text
    from mart_mm.zoo.configs import resolve_config

    path = resolve_config(args.config)
    try:
        text = resolved_text(path, args.cfg_options)
        if args.save_path:
            write_text(args.save_path, text)
    except (OSError, LookupError, SyntaxError, TypeError, ValueError) as error:
        print(f'{path}: {error.args[0] if isinstance(error, KeyError) else error}', file=sys.stderr)
        return 2
    print(text, end='')
    return 0
