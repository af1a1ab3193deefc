"""How Sphinx builds these pages: ``make docs``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / 'runtime'), str(HERE / '_ext')]

from mart_mm.version import __version__  # noqa: E402

project = 'MART-MM'
author = 'the authors of MART-MM'
version = release = __version__

extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.autosummary',
    'sphinx.ext.napoleon',
    'sphinx.ext.viewcode',
    'command_help',
    'native_math',
    'repository_pages',
]
exclude_patterns = ['_build', '_ext', '_templates']
templates_path = ['_templates']

myst_enable_extensions = ['colon_fence', 'dollarmath']
myst_heading_anchors = 3

autodoc_default_options = {'members': True, 'member-order': 'bysource', 'show-inheritance': True}
autodoc_typehints = 'signature'
autosummary_generate = True
autosummary_ignore_module_all = False
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_math_renderer = 'mathml'
html_theme = 'furo'
html_title = f'MART-MM {release}'
html_static_path = ['_static']
html_css_files = ['pages.css']
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False


def escape_stars(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Shapes such as (B, *grid) stand unquoted in docstrings; the star is no emphasis."""
    lines[:] = [re.sub(r'(?<=[(\s])\*(?=[\w.]+[,)])', r'\*', line) for line in lines]


def setup(app: Sphinx) -> None:
    """Listen to docstrings, before they are turned into reStructuredText."""
    app.connect('autodoc-process-docstring', escape_stars, priority=400)
