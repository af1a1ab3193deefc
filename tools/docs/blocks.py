"""The code blocks of a Markdown page, in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r'^(?P<indent> *)(?P<ticks>`{3,})(?P<info>.*)$')
_DIRECTIVE = re.compile(r'^\{code-block\}\s*(\S*)$')
_OPTION = re.compile(r'^:([\w-]+):\s*(.*)$')


class BlockError(ValueError):
    """A page that cannot be read; the message names page, line and remedy."""


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: The file.
        line: Of the opening fence, from 1.
        language: As written; of another directive than ``{code-block}`` the directive, such as
            ``{toctree}``; empty where none is given.
        caption: Of a ``{code-block}``, else None. It names the file that the block is.
        text: Without fences and options.
    """

    page: Path
    line: int
    language: str
    caption: str | None
    text: str

    @property
    def where(self) -> str:
        """Page and line, for messages."""
        return f'{self.page}, line {self.line}'


def read_blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page.

    Raises:
        BlockError: For a fence that is not closed.
    """
    return list(_blocks(page, page.read_text(encoding='utf-8').splitlines()))


def _blocks(page: Path, lines: list[str]) -> Iterator[Block]:
    number = 0
    while number < len(lines):
        opening = _FENCE.match(lines[number])
        number += 1
        if opening is None:
            continue
        first, indent = number, len(opening['indent'])
        while number < len(lines) and lines[number].strip() != opening['ticks']:
            number += 1
        if number == len(lines):
            raise BlockError(f'{page}, line {first}: this fence is never closed')
        yield _block(
            page, first, opening['info'].strip(), [x[indent:] for x in lines[first:number]]
        )
        number += 1


def _block(page: Path, line: int, info: str, content: list[str]) -> Block:
    directive = _DIRECTIVE.match(info)
    options = {}
    if directive:
        while content and (option := _OPTION.match(content[0])):
            options[option[1]] = option[2]
            content = content[1:]
    language = directive[1] if directive else info
    text = '\n'.join(content).strip('\n') + '\n'
    return Block(page, line, language, options.get('caption'), text)
