from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from mart_mm.datasets.cache import FileCache
from mart_mm.datasets.media.backends import import_decord


@pytest.fixture
def without_decord(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The script, imported where there is no decord."""
    monkeypatch.setitem(sys.modules, 'decord', None)
    monkeypatch.delitem(sys.modules, 'pipeline', raising=False)
    import_decord.cache_clear()
    yield importlib.import_module('pipeline')
    sys.modules.pop('pipeline', None)
    import_decord.cache_clear()


def test_without_decord_ours_is_measured_alone(without_decord: ModuleType, tmp_path: Path) -> None:
    work = without_decord.candidates(FileCache(str(tmp_path)))
    assert {'ours', 'ours_cold', 'packed'} <= set(work)
    assert not any('decord' in name for name in work)
    spent = {name: [2.0, 4.0, 3.0] for name in work} | dict(transforms_sample=[6.0])
    figures = {figure.name: figure for figure in without_decord.compare('a', spent)}
    ours, sample = figures['pipeline/a/ours'], figures['pipeline/a/transforms_sample']
    assert (ours.value, ours.peer, ours.ratio) == (12 / 3, None, None)
    assert (sample.peer, sample.ratio) == ('its frames alone', 3 / 6)


def test_ratios_to_decord(without_decord: ModuleType) -> None:
    figures = without_decord.compare('a', dict(decord=[3.0], ours=[1.5]))
    assert [(figure.peer, figure.ratio) for figure in figures] == [
        (without_decord.PEER, None),
        (without_decord.PEER, 2.0),
    ]
