"""Processes that hang or crash do not end the run."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mart_mm.apis.scan.watched import run_watched


def test_crashes_and_hangs_end_one_item_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'misbehaving.py').write_text(
        'import os, signal, time\n'
        'def act(item, beat):\n'
        '    if item == "crash": os.kill(os.getpid(), signal.SIGSEGV)\n'
        '    if item == "hang": time.sleep(60)\n'
        '    if item == "fail": raise ZeroDivisionError("by zero")\n'
        '    if item == "slow":\n'
        '        for _ in range(40): time.sleep(0.1); beat()\n'
        '    return item.upper()\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import misbehaving

    items = ['a', 'crash', 'hang', 'b', 'fail', 'slow', 'crash', 'c']
    started = time.monotonic()
    found = list(run_watched(misbehaving.act, items, 2, timeout=2.0))
    assert time.monotonic() - started < 30  # the sleep of a minute was not waited for
    assert sorted(o.result for o in found if not o.failure) == ['A', 'B', 'C', 'SLOW']
    failures = sorted((o.item, o.failure) for o in found if o.failure)
    assert failures[:2] == [('crash', 'decoder crashed (exit code -11)')] * 2
    assert failures[2][0] == 'fail' and 'by zero' in failures[2][1]
    assert failures[3] == ('hang', 'decoder hangs: no progress for 2 s')
