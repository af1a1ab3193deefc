"""What the log says after the stages have changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_finetuning_logs_its_own_losses(tiny_config: Path, tmp_path: Path) -> None:
    """The window of the log (10 steps) is longer than these epochs, and ends where a stage begins."""
    done = subprocess.run(
        [sys.executable, str(ROOT / 'tools' / 'train.py'), str(tiny_config)]
        + ['--work-dir', str(tmp_path / 'run'), '--cfg-options', 'default_hooks.logger.interval=1'],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (scalars,) = (tmp_path / 'run').glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in scalars.read_text().splitlines()]
    training = [line for line in lines if 'loss' in line]
    stages = {line['epoch']: {key for key in line if 'loss' in key} for line in training}
    first, last = stages[min(stages)], stages[max(stages)]
    assert any('kl' in key for key in first)
    assert last == {'loss', 'loss_cls_visual', 'loss_cls_audio'}
    for line in training:
        if line['epoch'] == max(stages):
            parts = sum(line[key] for key in last - {'loss'})
            assert abs(parts - line['loss']) < 1e-3
