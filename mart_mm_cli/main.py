"""Command line: ``mart-mm COMMAND ...``.

Each command is a module of :mod:`mart_mm_cli.commands` with ``HELP``, ``add_arguments`` and ``run``. What
it does is imported when it runs, so that help and mistakes are answered at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from mart_mm.errors import (
    CheckpointNotSavedError,
    NothingToResumeError,
    WeightsError,
    unknown_name,
)
from mart_mm.structures.inference_card import CardError
from mart_mm.version import __version__
from mart_mm.zoo.configs import UnknownConfigError
from mart_mm.zoo.weights import NoWeightsError

#: in the order of the work
COMMANDS = (
    'demo', 'infer', 'ui', 'plant', 'check', 'scan', 'browse', 'transcribe', 'train', 'test', 'publish',
    'export', 'models', 'config', 'env',
)  # fmt: skip
_WRONG_INPUT = 2
#: say what is wrong with what was given, and what to do
_EXPLAINED = (
    UnknownConfigError,
    NoWeightsError,
    WeightsError,
    CardError,
    CheckpointNotSavedError,
    NothingToResumeError,
)


def load_command(name: str) -> ModuleType:
    """The module of a command."""
    return import_module(f'mart_mm_cli.commands.{name}')


def _describe(parser: argparse.ArgumentParser, command: ModuleType) -> None:
    parser.description = command.__doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    command.add_arguments(parser)


def build_parser() -> argparse.ArgumentParser:
    """The command line with all commands."""
    parser = argparse.ArgumentParser(
        prog='mart-mm', description='Video emotion analysis with MART and its peers.'
    )
    parser.add_argument('--version', action='version', version=f'mart-mm {__version__}')
    commands = parser.add_subparsers(
        dest='command', metavar='COMMAND', title='commands', required=True
    )
    for name in COMMANDS:
        command = load_command(name)
        _describe(commands.add_parser(name, help=command.HELP), command)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``mart-mm``.

    Args:
        arguments: In place of the command line's.

    Returns:
        The exit code: that of the command, 2 for wrong input.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    parser = build_parser()
    if arguments and not arguments[0].startswith('-') and arguments[0] not in COMMANDS:
        parser.error(unknown_name('command', arguments[0], COMMANDS))
    args = parser.parse_args(arguments)
    return _run(load_command(args.command), args)


def run_tool(name: str, arguments: Sequence[str] | None = None) -> int:
    """Run one command under the name of the script that is running; what ``tools/`` calls.

    Args:
        name: Of the command.
        arguments: In place of the command line's.

    Returns:
        The exit code.
    """
    command = load_command(name)
    parser = argparse.ArgumentParser()
    _describe(parser, command)
    return _run(command, parser.parse_args(arguments))


def _run(command: ModuleType, args: argparse.Namespace) -> int:
    """Run a command; names that mean nothing need no traceback."""
    try:
        return command.run(args)
    except _EXPLAINED as error:
        print(error, file=sys.stderr)
        return _WRONG_INPUT
