"""Arguments that commands share; MMEngine is imported when one that needs it is used."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


class CfgOptions(argparse.Action):
    """MMEngine's ``DictAction``, imported when it is used."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Sequence[str],
        option_string: str | None = None,
    ) -> None:
        """Parse ``key=value`` pairs."""
        from mmengine.config import DictAction

        parse = DictAction(self.option_strings, self.dest, nargs='+')
        parse(parser, namespace, values, option_string)


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options``, named as in OpenMMLab."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=CfgOptions,
        default={},
        metavar='KEY=VALUE',
        help='override config fields: train_dataloader.dataset.data_root=data/mine',
    )


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the config of a command."""
    parser.add_argument(
        'config', help='config file, or name of a model (`mart-mm models` lists them)'
    )


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what training and testing share, named as in OpenMMLab."""
    add_config(parser)
    parser.add_argument('--work-dir', help='folder of logs and checkpoints')
    add_cfg_options(parser)
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher',
    )
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, default=0, help='set by launchers'
    )


def positive_int(text: str) -> int:
    """A whole number from 1 on.

    Raises:
        argparse.ArgumentTypeError: For anything else.
    """
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f'{text!r} is no whole number from 1 on')
    return value


def positive_float(text: str) -> float:
    """A number above 0.

    Raises:
        argparse.ArgumentTypeError: For anything else.
    """
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not value > 0:
        raise argparse.ArgumentTypeError(f'{text!r} is no number above 0')
    return value
