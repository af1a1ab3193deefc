from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from mart_mm.utils.atomic import replacing
from mart_mm.utils.code_version import code_version


def test_code_version_follows_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'computation.py'
    versions = []
    for source in ('def f(): return 1', 'def f(): return 2', 'def f(): return 1'):
        path.write_text(source)
        spec = importlib.util.spec_from_file_location('computation', path)
        loaded = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, 'computation', loaded)
        exec(source, loaded.__dict__)
        versions.append(code_version(loaded.f))
    assert versions[0] == versions[2] != versions[1]
    assert code_version(loaded.f, replacing) != versions[2]
