"""``--cfg-options`` of tools that must not import MMEngine before they have parsed the command line."""

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
    """Add the argument, named as in OpenMMLab."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=CfgOptions,
        default={},
        metavar='KEY=VALUE',
        help='override config fields: train_dataloader.dataset.data_root=data/mine',
    )
