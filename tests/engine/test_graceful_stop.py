"""What a stop leaves behind is gone when the run has come to its end."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from mart_mm.engine.hooks.graceful_stop import GracefulStopHook


@pytest.mark.parametrize(
    ('named', 'last', 'expected', 'is_left'),
    [
        ('iter_12.pth', 'iter_12.pth', 'iter_12.pth', False),  # resumed, and saved since
        ('interrupted.pth', 'iter_12.pth', 'iter_12.pth', False),  # stopped in the last evaluation
        ('interrupted.pth', None, 'interrupted.pth', True),  # there is no other checkpoint
        (None, None, None, False),
    ],
)
def test_the_end_of_a_run(
    tmp_path: Path, named: str | None, last: str | None, expected: str | None, is_left: bool
) -> None:
    pointer, saved = tmp_path / 'last_checkpoint', tmp_path / 'interrupted.pth'
    saved.write_bytes(b'weights')
    if named:
        pointer.write_text(str(tmp_path / named))
    info = {} if last is None else dict(last_ckpt=str(tmp_path / last))
    runner = SimpleNamespace(work_dir=str(tmp_path), message_hub=SimpleNamespace(runtime_info=info))
    GracefulStopHook().after_train(runner)
    assert saved.exists() == is_left
    assert (Path(pointer.read_text()).name if pointer.exists() else None) == expected
