"""Documents that show a README of the repository: see :mod:`tools.docs.pages`."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

from tools.docs.pages import README, ROOT, find_pages, rewrite_links


def read_page(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put READMEs in and turn the links."""
    page = Path(app.env.doc2path(docname))
    if page.suffix != '.md':
        return
    pages = find_pages()
    text = rewrite_links(source[0], page.parent, pages)

    def insert(found: re.Match) -> str:
        path = ROOT / found[1]
        app.env.note_dependency(str(path))
        return rewrite_links(path.read_text(encoding='utf-8'), path.parent, pages)

    source[0] = README.sub(insert, text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Listen to pages being read."""
    app.connect('source-read', read_page)
    return dict(parallel_read_safe=True, parallel_write_safe=True)
