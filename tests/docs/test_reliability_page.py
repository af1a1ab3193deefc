"""Every line of the table of faults has a test, and every test of a fault a line."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs' / 'reliability.md'
_TEST = re.compile(r'`(tests/[\w/]+\.py)::(\w+)`')


def rows() -> list[list[str]]:
    """Cells of the lines that name a test."""
    lines = PAGE.read_text(encoding='utf-8').splitlines()
    return [
        [cell.strip() for cell in line.strip('|').split('|')]
        for line in lines
        if line.startswith('|') and _TEST.search(line)
    ]


def tests_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding='utf-8'))
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith('test_')
    }


def test_every_line_has_a_test() -> None:
    assert len(rows()) > 40
    for cells in rows():
        assert len(cells) == 4 and all(cells), cells
        named = _TEST.findall(cells[1])
        assert named, cells
        for file, test in named:
            assert test in tests_in(ROOT / file), f'{file}::{test}'


def test_every_fault_test_has_a_line() -> None:
    named = {pair for cells in rows() for pair in _TEST.findall(cells[1])}
    injected = {
        (str(path.relative_to(ROOT)), test)
        for path in (ROOT / 'tests' / 'reliability').rglob('test_*.py')
        for test in tests_in(path)
    }
    assert injected - named == set()
