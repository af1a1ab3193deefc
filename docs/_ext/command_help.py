"""The help of a command, asked of the command itself: ``{command-help} python tools/train.py``."""

from __future__ import annotations

import contextlib
import io

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from tools.docs.commands import CommandError, run

logger = logging.getLogger(__name__)


class CommandHelp(SphinxDirective):
    """What a program of the project prints for ``--help``."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """The text, as it is printed."""
        words = self.arguments[0].split()
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                status = run([*words, '--help'])
        except (CommandError, ImportError) as error:
            logger.warning(
                'no help of %s: %s', ' '.join(words), error, location=self.get_location()
            )
            return []
        if status:
            logger.warning('%s --help fails', ' '.join(words), location=self.get_location())
        text = printed.getvalue().strip()
        return [nodes.literal_block(text, text, language='text')]


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive('command-help', CommandHelp)
    return dict(parallel_read_safe=False, parallel_write_safe=True)
