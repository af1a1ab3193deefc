"""Arguments of the tools that look at frozen features: a config, and the weights to take."""

from __future__ import annotations

import argparse

from mart_mm.utils.arguments import add_cfg_options


def add_weights_arguments(parser: argparse.ArgumentParser, *, is_several: bool) -> None:
    """Add config, checkpoint and what may stand in its place.

    Args:
        parser: Gets the arguments.
        is_several: Whether several checkpoints may be given, and initial weights beside them.
    """
    parser.add_argument('config', help='config file')
    parser.add_argument(
        'checkpoint',
        nargs='*' if is_several else '?',
        help='checkpoint of any stage and of any row with this backbone',
    )
    parser.add_argument(
        '--random-init',
        action='store_true',
        help="random weights of the config's seed: the reference",
    )
    parser.add_argument(
        '--pretrained-init',
        action='store_true',
        help="the files that the config's backbone names as pretrained, before any training",
    )
    parser.add_argument(
        '--data', metavar='DIR', help="folder of the data set, in place of the config's data_root"
    )
    add_cfg_options(parser)


def chosen_weights(args: argparse.Namespace) -> list[str]:
    """Initial weights, then checkpoints, as the arguments say."""
    from mart_mm.apis.frozen import PRETRAINED_INIT, RANDOM_INIT

    initial = {RANDOM_INIT: args.random_init, PRETRAINED_INIT: args.pretrained_init}
    checkpoints = args.checkpoint if isinstance(args.checkpoint, list) else [args.checkpoint]
    return [name for name, is_wanted in initial.items() if is_wanted] + [
        name for name in checkpoints if name
    ]
