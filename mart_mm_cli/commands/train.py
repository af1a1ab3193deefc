"""Train a config: the paper's whole recipe is one run, pretraining and finetuning.

It leaves logs and checkpoints in --work-dir (work_dirs/CONFIG) and can be stopped and resumed at any step.
"""

from __future__ import annotations

import argparse

from mart_mm.utils.arguments import add_common_arguments

HELP = 'train a config'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_common_arguments(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='go on from the newest checkpoint of the work directory, or from the one given',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision (GPU only)')
    parser.add_argument('--no-validate', action='store_true', help='do not evaluate while training')
    parser.add_argument(
        '--auto-scale-lr', action='store_true', help='scale the learning rate to the batch size'
    )
    parser.add_argument(
        '--smoke',
        action='store_true',
        help='try config and data in seconds: small networks, four videos, two steps of each stage',
    )


def run(args: argparse.Namespace) -> int:
    """Train; returns the exit code."""
    from mart_mm.apis.run import configure_training, train

    train(configure_training(args))
    return 0
