"""The commands of shell blocks: split as a shell does, run in this process, or only parsed."""

from __future__ import annotations

import argparse
import configparser
import importlib
import os
import re
import runpy
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from tools.docs.blocks import Block

ROOT = Path(__file__).resolve().parents[2]
_ASSIGNMENT = re.compile(r'^([A-Za-z_]\w*)=(.*)$')
_RUNTIME_SCRIPTS = re.compile(r'^\[project\.scripts\](.*?)(?=^\[|\Z)', re.MULTILINE | re.DOTALL)


class CommandError(ValueError):
    """A command that cannot be what the page says; the message names it and the remedy."""


@dataclass(frozen=True)
class Command:
    """One command of a shell block.

    Attributes:
        block: Where it stands.
        words: Program and arguments; comments and line ends are gone.
        environment: Variables that are set in front of it.
    """

    block: Block
    words: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Program and arguments in one line."""
        return ' '.join(self.words)

    def __str__(self) -> str:
        return f'{self.block.where}: {self.text}'


def read_commands(block: Block) -> list[Command]:
    """Commands of a ``bash`` block, or of a ``console`` block, where they follow ``$``.

    A line that only sets variables holds for the lines below it.
    """
    text = block.text
    if block.language == 'console':
        lines = text.splitlines()
        text = '\n'.join(
            line.removeprefix('$ ').removeprefix('> ')
            for number, line in enumerate(lines)
            if line.startswith('$ ') or (line.startswith('> ') and lines[number - 1].endswith('\\'))
        )
    commands, known = [], {}
    for line in text.replace('\\\n', ' ').splitlines():
        words = shlex.split(line, comments=True)
        environment = {}
        while words and (setting := _ASSIGNMENT.match(words[0])):
            environment[setting[1]] = setting[2]
            words = words[1:]
        if not words:
            known |= environment
            continue
        words = [_with_values(word, known) for word in words]
        commands.append(Command(block, tuple(words), environment))
    return commands


def _with_values(word: str, known: dict[str, str]) -> str:
    return re.sub(r'\$(\w+)', lambda found: known.get(found[1], found[0]), word)


def console_scripts() -> dict[str, str]:
    """Entry point ``module:function`` of each installed command, as the distributions declare them."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg', encoding='utf-8')
    text = setup.get('options.entry_points', 'console_scripts', fallback='')
    runtime = ROOT / 'runtime' / 'pyproject.toml'
    if runtime.is_file():
        text += _RUNTIME_SCRIPTS.search(runtime.read_text(encoding='utf-8'))[1]
    pairs = (line.split('=') for line in text.splitlines() if line.strip())
    return {name.strip(): target.strip(' "') for name, target in pairs}


def program_of(words: Sequence[str]) -> tuple[Callable[[], object], list[str]] | None:
    """What a command starts, and its arguments; None where it is no program of the project.

    The program reads ``sys.argv``.

    Raises:
        CommandError: For a script that does not exist.
    """
    if words[0] == 'python' and len(words) > 1 and words[1].endswith('.py'):
        path = ROOT / words[1]
        if not path.is_file():
            raise CommandError(f'{words[1]} does not exist')
        return lambda: runpy.run_path(str(path), run_name='__main__'), list(words[1:])
    scripts = console_scripts()
    if words[0] in scripts:
        module, _, name = scripts[words[0]].partition(':')
        return lambda: getattr(importlib.import_module(module), name)(), list(words)
    return None


@contextmanager
def arguments(argv: Sequence[str]) -> Iterator[None]:
    """Let programs read these arguments."""
    with mock.patch.object(sys, 'argv', list(argv)), mock.patch.dict(os.environ, COLUMNS='88'):
        yield


def run(words: Sequence[str]) -> int:
    """Run a program of the project in this process.

    Returns:
        Its exit status.

    Raises:
        CommandError: For a command that starts no program of the project.
    """
    found = program_of(words)
    if found is None:
        raise CommandError(f'{words[0]} is no program of this project')
    program, argv = found
    with arguments(argv):
        try:
            status = program()
        except SystemExit as stop:
            status = stop.code
    return status if isinstance(status, int) else int(isinstance(status, str))


class _ParsedError(Exception):
    """Carries what a parser read past the program."""

    def __init__(self, content: argparse.Namespace) -> None:
        super().__init__('parsed')
        self.content = content


def parse(words: Sequence[str]) -> argparse.Namespace:
    """What a program's own parser makes of its arguments; nothing else of it is run.

    Raises:
        CommandError: For arguments that the parser refuses, or a program that parses none.
    """
    found = program_of(words)
    if found is None:
        raise CommandError(f'{words[0]} is no program of this project')
    program, argv = found

    def stopping(method: Callable) -> Callable:
        def parse_and_stop(
            parser: argparse.ArgumentParser, *args: object, **kwargs: object
        ) -> None:
            raise _ParsedError(method(parser, *args, **kwargs))

        return parse_and_stop

    names = ('parse_args', 'parse_intermixed_args')
    methods = {name: stopping(getattr(argparse.ArgumentParser, name)) for name in names}
    with arguments(argv), mock.patch.multiple(argparse.ArgumentParser, **methods):
        try:
            program()
        except _ParsedError as parsed:
            return parsed.content
        except SystemExit as stop:
            raise CommandError(f'its parser refuses {" ".join(words)} (see stderr)') from stop
    raise CommandError(f'{words[0]} parsed nothing: {" ".join(words)}')
