"""The demo's training runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mart_mm.apis.demo.training import count_skipped, follow, start


def test_run_that_fails_is_told_with_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('PYTHONPATH', raising=False)  # the run finds the package by itself
    run = start('mart_mbt_plantd', tmp_path / 'run', seed=0, threads=1)
    with pytest.raises(RuntimeError, match="MART failed(.|\n)*did you mean 'mart_mbt_planted'"):
        follow(run, tmp_path / 'run', 'MART')
    assert run.returncode == 2


def test_unreadable_videos_are_counted_in_the_last_report(tmp_path: Path) -> None:
    assert count_skipped(tmp_path) == 0
    for name, content in (('20260101', '{"a": "x", "b": "y"}'), ('20260102', '{"a": "x"}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'failures.json').write_text(content)
    assert count_skipped(tmp_path) == 1
