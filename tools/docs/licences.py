"""The table of licences: what the requirement files ask for, and under which licence it comes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

if __name__ == '__main__':
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.docs.pages import ROOT  # noqa: E402

PAGE = ROOT / 'docs' / 'licences.md'
#: requirement file -> what it is for, in the order of the table
GROUPS = {
    'runtime': 'always',
    'mm': 'always',
    'ui': 'extra `ui`',
    'onnx': 'extra `onnx`',
    'asr': 'extra `asr`',
    'docs': 'extra `docs`',
    'tests': 'extra `tests`',
}
#: spellings of package metadata -> SPDX
_SPDX = {
    'mit license': 'MIT',
    'apache software license': 'Apache-2.0',
    'apache 2.0': 'Apache-2.0',
    'apache 2.0 license': 'Apache-2.0',
    'bsd': 'BSD-3-Clause',
    'bsd license': 'BSD-3-Clause',
    'python software foundation license': 'PSF-2.0',
}
#: of packages whose metadata say nothing: read in the licence file of the package's repository
_BY_HAND = {'pympi-ling': 'MIT'}
_ROW = re.compile(r'^\| ([\w.-]+) \| ([^|]+) \| ([^|]+) \|$')


def requirements() -> Iterator[tuple[str, str]]:
    """Package and what it is for, each package once."""
    seen = set()
    for group, purpose in GROUPS.items():
        for line in (ROOT / 'requirements' / f'{group}.txt').read_text().splitlines():
            name = re.split(r'[<>=!~;\[ #]', line.strip())[0]
            if name and name not in seen:
                seen.add(name)
                yield name, purpose


def licence(package: str) -> str | None:
    """SPDX expression of an installed package, None where it is not installed.

    Raises:
        ValueError: When neither its metadata nor this module say one.
    """
    try:
        said = metadata(package)
    except PackageNotFoundError:
        return None
    kinds = [
        line.rpartition('::')[2].strip()
        for line in said.get_all('Classifier') or []
        if line.startswith('License')
    ]
    candidates = (said.get('License-Expression'), *kinds, said.get('License'))
    for candidate in candidates:
        first = (candidate or '').strip().splitlines()[:1]
        if first and first[0] != 'UNKNOWN' and len(first[0]) < 120:
            return _SPDX.get(first[0].lower(), first[0])
    if package in _BY_HAND:
        return _BY_HAND[package]
    raise ValueError(f'{package}: its metadata name no licence: look it up, and add it to _BY_HAND')


def read_rows(page: Path = PAGE) -> dict[str, tuple[str, str]]:
    """Package -> licence and purpose, as the page has them."""
    found = map(_ROW.match, page.read_text(encoding='utf-8').splitlines())
    return {row[1]: (row[2], row[3]) for row in found if row and row[1] != 'package'}


def main() -> int:
    """Print the table; of what is not installed the page's own row."""
    before = read_rows() if PAGE.exists() else {}
    print('| package | licence | needed for |\n|---|---|---|')
    for name, purpose in requirements():
        known = licence(name) or before.get(name, ('?', ''))[0]
        print(f'| {name} | {known} | {purpose} |')
    return 0


if __name__ == '__main__':
    sys.exit(main())
