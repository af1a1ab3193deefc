"""Formulas as MathML, which browsers draw themselves: no script, no network, no LaTeX."""

from __future__ import annotations

from docutils import nodes
from docutils.utils.math import latex2mathml
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    """A formula in the line."""
    self.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def visit_math_block(self: HTML5Translator, node: nodes.math_block) -> None:
    """A formula of its own."""
    name = (node.get('label') or '').removeprefix('eq-').upper()  # as the paper numbers it
    number = f'<span class="eqno">({name})</span>' if name else ''
    formula = mathml(node.astext(), as_block=True)
    self.body.append(f'<div class="math">{number}{formula}</div>')
    raise nodes.SkipNode


def mathml(formula: str, *, as_block: bool = False) -> str:
    """MathML of a LaTeX formula."""
    return latex2mathml.tex2mathml(formula, as_block=as_block)


def setup(app: Sphinx) -> dict[str, bool]:
    """Offer it as a way of drawing formulas."""
    app.add_html_math_renderer('mathml', (visit_math, None), (visit_math_block, None))
    return dict(parallel_read_safe=True, parallel_write_safe=True)
