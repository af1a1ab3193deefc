"""The page of licences says what the installed packages say."""

from __future__ import annotations

from tools.docs.licences import licence, read_rows, requirements


def test_every_requirement_has_its_licence() -> None:
    rows = read_rows()
    asked = dict(requirements())
    assert len(asked) > 40
    assert {name: purpose for name, (_, purpose) in rows.items()} == asked
    stated = {name: licence(name) for name in asked}
    assert sum(said is not None for said in stated.values()) > 35
    assert {n: rows[n][0] for n, said in stated.items() if said} == {
        n: said for n, said in stated.items() if said
    }
    assert all(rows[name][0] not in ('', '?') for name in asked)


def test_licences_permit_this_one() -> None:
    """Permissive, or MPL-2.0, which holds for its own files only."""
    allowed = {
        'MIT', 'MIT-CMU', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'PSF-2.0', 'MPL-2.0', 'Zlib',
        'CC0-1.0', 'BSL-1.0', 'Apache-2.0 WITH LLVM-exception',
    }  # fmt: skip
    for name, (said, _) in read_rows().items():
        assert set(said.split(' AND ')) <= allowed, name
