"""Which documents show which README, and links that work in both places.

A document that says

    ```{readme} tools/data/ekman6/README.md
    ```

is that file.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / 'docs'
README = re.compile(r'^```\{readme\} (\S+)\n```$', re.MULTILINE)
_LINK = re.compile(r'(?<!!)\[([^\]\[]+)\]\((?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)')
_FENCED = re.compile(r'(^ *```.*?^ *```$)', re.MULTILINE | re.DOTALL)
#: folders below ``docs`` that hold no documents, or ones that Sphinx writes
_NO_DOCUMENTS = ('_build', '_ext', '_static', '_templates', 'api')


class LinkError(ValueError):
    """A link to a file that does not exist; the message names both."""


def documents(docs: Path = DOCS) -> list[Path]:
    """All documents written by hand."""
    paths = sorted(docs.rglob('*.md'))
    return [path for path in paths if not set(path.relative_to(docs).parts) & set(_NO_DOCUMENTS)]


def find_pages(docs: Path = DOCS, root: Path = ROOT) -> dict[Path, str]:
    """Document that shows each README, by the README's path."""
    return {
        root / path: document.relative_to(docs).as_posix()
        for document in documents(docs)
        for path in README.findall(document.read_text(encoding='utf-8'))
    }


def rewrite_links(
    text: str, folder: Path, pages: dict[Path, str], docs: Path = DOCS, root: Path = ROOT
) -> str:
    """Let relative links lead to documents.

    A link to a file that no document shows becomes its text, with the path beside it.

    Args:
        text: Markdown.
        folder: Of the file that holds it.
        pages: See :func:`find_pages`.
        docs: Folder of the documents.
        root: Of the repository.

    Raises:
        LinkError: For a link to a file that does not exist.
    """

    def lead(found: re.Match) -> str:
        label, target, anchor = found[1], found[2], found[3] or ''
        if target.startswith('/'):  # of the documents already
            return found[0]
        path = Path(os.path.normpath(folder / target))
        if (path / 'README.md').is_file():
            path = path / 'README.md'
        if path in pages:
            return f'[{label}](/{pages[path]}{anchor})'
        if not path.exists():
            raise LinkError(f'{folder}: a link to {target}, which does not exist')
        if path.is_relative_to(docs) and path.suffix == '.md':
            return f'[{label}](/{path.relative_to(docs).as_posix()}{anchor})'
        name = path.relative_to(root).as_posix()
        return label if name in label else f'{label} (`{name}`)'

    parts = _FENCED.split(text)  # code blocks are the odd ones
    parts[::2] = [_LINK.sub(lead, part) for part in parts[::2]]
    return ''.join(parts)
