"""Every line of the table of faults has a test, and no file of such tests is left out."""

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


def functions_in(path: Path) -> set[str]:
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
            assert test in functions_in(ROOT / file), f'{file}::{test}'


def test_every_file_of_fault_tests_is_on_the_page() -> None:
    named = {file for cells in rows() for file, _ in _TEST.findall(cells[1])}
    files = (ROOT / 'tests' / 'reliability').rglob('test_*.py')
    assert {str(path.relative_to(ROOT)) for path in files} <= named
