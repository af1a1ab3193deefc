"""Every example of the README and the documents is run, or listed here with the reason why it is not.

Python blocks run in the order of the page. Blocks with a caption are files that later blocks need.
Commands run as they stand, training in its small form; what is not run is parsed by the program's own
parser, and the configs and options that it names must exist.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mmengine.config import Config

from mart_mm import registry
from tools.docs.blocks import Block, read_blocks
from tools.docs.commands import Command, console_scripts, parse, program_of, read_commands, run
from tools.docs.pages import documents, find_pages

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted({ROOT / 'README.md', *documents(), *find_pages()})
OWN_COMMANDS = ('mart-mm', 'mart-mm-run')
#: languages whose blocks are data, trees and output
SHOWN = ('', 'text', 'csv', 'json')
#: commands that are not run: what they match, and why; the first that matches counts
NOT_RUN = {
    r'^(git clone|tar|apt-get) ': 'fetches or unpacks what is not here',
    r'^(pip|source) ': 'changes the environment',
    r'^make ': 'the parts of these targets are run by other tests',
    r'\b[A-Z_]{5,}\b|(^| )\.\.\.( |$)': 'holds a name that the reader fills in',
    r'^bash tools/': 'starts several processes',
    r'tools/data/(ekman6|video_emotion8|perr|iemocap|affwild2)/prepare\.py': 'needs the download',
    r'configs/\w+/\w+_(ekman6|ve8|perr|iemocap|affwild2)\.py': 'needs the data set',
    r'configs/features/': 'trained by the test of every config',
    r'unaligned_50|data/mosi': 'needs a public set of features',
    r' manifest\.csv|my/mart_features': "needs the reader's features",
    r' my\.csv --out my_config|^python tools/(train|data/scan)\.py my_config': 'the tour has a table',
    r'\b(my_)?video\.mp4|\btalks/': "needs the reader's video",
    r'work_dirs/tables|work_dirs/\*|tools/analysis/tables\.py': 'needs runs of hours',
    r'^mart-mm (demo|ui)\b': 'takes minutes, or serves until it is stopped',
}
#: pages on which a command of NOT_RUN can be run
RUN_ALL = ('docs/tour.md',)


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples(page: Path, reader: Path, request: pytest.FixtureRequest) -> None:
    blocks = read_blocks(page)
    commands = {block: read_commands(block) for block in blocks if is_shell(block)}
    flat = [command for several in commands.values() for command in several]
    skip_without_programs(flat)
    if any('demo_out' in block.text or 'mart-mm' in block.text for block in blocks):
        (reader / 'demo_out').symlink_to(request.getfixturevalue('demo_out'))
    namespace: dict[str, object] = dict(__name__='example')
    with forgetting(reader):
        for number, block in enumerate(blocks):
            if block.caption:
                (reader / block.caption).write_text(block.text, encoding='utf-8')
                stem = Path(block.caption).stem
                later = '\n'.join(other.text for other in blocks[number + 1 :])
                assert stem in later, f'{block.where}: nothing below uses {block.caption}'
            elif block.language == 'python':
                code = '\n' * block.line + block.text  # so that errors name the line of the page
                exec(compile(code, str(page), 'exec'), namespace)
            elif is_shell(block):
                for command in commands[block]:
                    try_command(command)
            else:
                shown = block.language in SHOWN or block.language.startswith('{')
                assert shown, f'{block.where}: {block.language!r}: write python, bash or text'


def is_shell(block: Block) -> bool:
    """Whether a block holds commands; planted/README.md has one without a language."""
    if block.language in ('bash', 'console'):
        return True
    return block.language == '' and bool(re.match(r'(python|bash|make|mart-mm\S*) ', block.text))


def skip_without_programs(commands: list[Command]) -> None:
    """Skip pages of commands that are not part of this checkout."""
    for command in commands:
        name = command.words[0]
        if name in OWN_COMMANDS and name not in console_scripts():
            pytest.skip(f'{name} is no command of this checkout')
    if any(command.text.startswith('mart-mm export') for command in commands):
        pytest.importorskip('onnxscript')
        pytest.importorskip('onnxruntime')


def reason(command: Command) -> str | None:
    """Why a command is not run."""
    if command.block.page.relative_to(ROOT).as_posix() in RUN_ALL:
        if re.match('python tools/', command.text):
            return None
    return next((why for what, why in NOT_RUN.items() if re.search(what, command.text)), None)


def try_command(command: Command) -> None:
    """Run a command, or check as much of it as can be without."""
    if reason(command):
        check(command)
        return
    assert program_of(command.words), f'{command}: neither run nor listed in NOT_RUN'
    assert set(command.environment) <= {'PYTHONPATH'}, (
        f'{command}: what sets {command.environment}?'
    )
    status = run([*command.words, *small_form(command.words)])
    assert status == 0, f'{command}: exit status {status}'


def small_form(words: tuple[str, ...]) -> list[str]:
    """Options that make a command quick."""
    text = ' '.join(words)
    if text.startswith(('python tools/train.py', 'mart-mm train')):
        config = next(Path(word) for word in words[2:] if word.endswith('.py'))
        return ['--smoke', '--work-dir', f'work_dirs/{config.stem}']
    if 'tools/data/planted_features/make.py' in text:
        return '--train 6 --test 3'.split()
    if 'tools/data/planted/make.py' in text:
        return '--train 6 --test 6 --segments 2 --jobs 1 --out data/small'.split()
    return []


def check(command: Command) -> None:
    """Everything that a command names must exist."""
    words = command.words
    for word in words:
        if re.match(r'(configs|tools)/[^*]*\.(py|sh)$', word):
            assert (ROOT / word).is_file(), f'{command}: {word} does not exist'
    if words[0] == 'make':
        targets = re.findall(r'^([a-z]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE)
        assert words[1] in targets, f'{command}: no such target'
    elif words[:2] == ('pip', 'install'):
        extras = (ROOT / 'setup.cfg').read_text().partition('[options.extras_require]')[2]
        for name in re.findall(r'\[(\w+)\]', command.text):
            assert re.search(rf'^{name} =', extras, re.MULTILINE), f'{command}: no such extra'
    elif words[0] == 'bash':
        script = 'tools/train.py' if 'train' in words[1] else 'tools/test.py'
        place = 3 if script == 'tools/train.py' else 4
        parse(['python', script, *words[2:place], *words[place + 1 :]])
    elif program_of(words):
        check_options(command, parse(words))


def check_options(command: Command, arguments: object) -> None:
    """The config has what ``--cfg-options`` overrides, or a part whose option it can be."""
    config = getattr(arguments, 'config', None)
    if not str(config).startswith('configs/'):
        return
    cfg = Config.fromfile(ROOT / config)
    for key in getattr(arguments, 'cfg_options', None) or {}:
        node = cfg
        *parents, last = key.split('.')
        for parent in parents:
            assert parent in node, f'{command}: {config} has no {parent} for {key}'
            node = node[parent]
        assert last in node or 'type' in node, f'{command}: {config} has no {key}'


@contextmanager
def forgetting(folder: Path) -> Iterator[None]:
    """Forget what a page's files registered, so that another page can use the names."""
    before = set(sys.modules)
    try:
        yield
    finally:
        for name in set(sys.modules) - before:
            if Path(getattr(sys.modules[name], '__file__', None) or '/').parent == folder:
                del sys.modules[name]
                for kind in (registry.MODELS, registry.DATASETS):
                    mine = [
                        key for key, part in kind.module_dict.items() if part.__module__ == name
                    ]
                    for key in mine:
                        del kind.module_dict[key]


def all_commands() -> Iterator[Command]:
    """Commands of all pages."""
    for page in PAGES:
        for block in read_blocks(page):
            if is_shell(block):
                yield from read_commands(block)


def test_every_exception_is_needed() -> None:
    texts = [command.text for command in all_commands()]
    unused = [what for what in NOT_RUN if not any(re.search(what, text) for text in texts)]
    assert not unused


def test_every_page_is_read() -> None:
    names = {page.relative_to(ROOT).as_posix() for page in PAGES}
    assert {
        'README.md',
        'docs/tour.md',
        'tools/data/ekman6/README.md',
        'configs/mart/README.md',
    } <= names
    assert len(names) > 40
