"""How pages are read: blocks, commands, links."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.docs.blocks import Block, BlockError, read_blocks
from tools.docs.commands import CommandError, console_scripts, parse, read_commands, run
from tools.docs.pages import LinkError, find_pages, rewrite_links

PAGE = """# Title

```{code-block} python
:caption: mine.py

x = 1
```

```bash
A=b/c
X=1 python tools/train.py $A \\
    --smoke   # a comment
```

```console
$ python tools/test.py one \\
> two
printed
```
"""


def test_blocks_and_commands(tmp_path: Path) -> None:
    page = tmp_path / 'page.md'
    page.write_text(PAGE)
    file, shell, console = read_blocks(page)
    assert (file.language, file.caption, file.text, file.line) == (
        'python',
        'mine.py',
        'x = 1\n',
        3,
    )
    (command,) = read_commands(shell)
    assert command.words == ('python', 'tools/train.py', 'b/c', '--smoke')
    assert command.environment == {'X': '1'}
    (command,) = read_commands(console)
    assert command.words == ('python', 'tools/test.py', 'one', 'two')
    page.write_text('```bash\nls')
    with pytest.raises(BlockError, match='line 1: this fence is never closed'):
        read_blocks(page)


def test_a_program_is_asked_for_its_arguments_only() -> None:
    found = parse(['python', 'tools/train.py', 'nowhere.py', '--cfg-options', 'a.b=1'])
    assert found.config == 'nowhere.py' and found.cfg_options == {'a.b': 1}
    with pytest.raises(CommandError, match='refuses'):
        parse(['python', 'tools/train.py', 'nowhere.py', '--smokee'])
    with pytest.raises(CommandError, match='does not exist'):
        parse(['python', 'tools/no.py'])
    with pytest.raises(CommandError, match='no program of this project'):
        run(['ls'])


def test_help_is_printed(capsys: pytest.CaptureFixture) -> None:
    assert run(['python', 'tools/train.py', '--help']) == 0
    assert '--smoke' in capsys.readouterr().out


def test_entry_points_exist() -> None:
    for target in console_scripts().values():
        module = target.partition(':')[0]
        path = Path(*module.split('.')).with_suffix('.py')
        root = Path(__file__).resolve().parents[2]
        assert (root / path).is_file() or (root / 'runtime' / path).is_file()


def test_links_lead_to_documents(tmp_path: Path) -> None:
    docs, data = tmp_path / 'docs', tmp_path / 'tools' / 'data'
    for path, text in {
        docs / 'data' / 'one.md': '```{readme} tools/data/README.md\n```\n',
        docs / 'cost.md': '# Cost\n',
        data / 'README.md': '# Data\n',
        data / 'make.py': '',
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    pages = find_pages(docs, tmp_path)
    assert pages == {data / 'README.md': 'data/one.md'}

    def turned(text: str, folder: Path) -> str:
        return rewrite_links(text, folder, pages, docs, tmp_path)

    assert (
        turned('[a](tools/data#x) [b](docs/cost.md)', tmp_path)
        == '[a](/data/one.md#x) [b](/cost.md)'
    )
    assert turned('[m](make.py), [`make.py`](make.py)', data) == (
        'm (`tools/data/make.py`), `make.py` (`tools/data/make.py`)'
    )
    same = '[w](https://a.b/c) [h](#here) ![p](p.png)\n```\n[x](nowhere)\n```'
    assert turned(same, data) == same
    with pytest.raises(LinkError, match='nowhere.md, which does not exist'):
        turned('[x](nowhere.md)', data)


def test_where_names_page_and_line() -> None:
    assert Block(Path('a.md'), 7, 'bash', None, '').where == 'a.md, line 7'
