"""The demo's training runs: processes of ``mart-mm train``, and their progress."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tqdm import tqdm

import mart_mm_cli

_STEP = re.compile(r'Epoch\(train\)\s+\[(\d+)\]\[\s*(\d+)/(\d+)\].*?loss: ([\d.]+)')
_EPOCHS = re.compile(r'max_epochs=(\d+)')


def command(config: str, work_dir: Path, seed: int) -> list[str]:
    """Command line of a training run that evaluates its last weights.

    Args:
        config: Name of the model, or path of its config.
        work_dir: Folder of the run.
        seed: Of the run.
    """
    return [
        sys.executable, '-m', mart_mm_cli.__name__, 'train', config,
        '--work-dir', str(work_dir), '--cfg-options', f'randomness.seed={seed}',
        f'val_evaluator.dump={work_dir / "scores"}', 'default_hooks.logger.interval=6',
    ]  # fmt: skip


def start(config: str, work_dir: Path, seed: int, threads: int) -> subprocess.Popen:
    """Start a run; its output goes to ``console.log`` in the work directory."""
    work_dir.mkdir(parents=True, exist_ok=True)
    packages = str(Path(mart_mm_cli.__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, (packages, os.environ.get('PYTHONPATH'))))
    environment = os.environ | {
        'OMP_NUM_THREADS': str(threads), 'PYTHONUNBUFFERED': '1', 'PYTHONPATH': path,
    }  # fmt: skip
    with (work_dir / 'console.log').open('w') as log:
        return subprocess.Popen(
            command(config, work_dir, seed), env=environment, stdout=log, stderr=log
        )


def follow(run: subprocess.Popen, work_dir: Path, what: str) -> None:
    """Show a run's progress until it ends.

    Raises:
        RuntimeError: When it fails, with the end of its output.
    """
    max_epochs = None
    log = work_dir / 'console.log'
    with tqdm(
        total=100, desc=what, unit='%', bar_format='{l_bar}{bar}| {elapsed}<{remaining}{postfix}'
    ) as bar:
        while True:
            is_done = run.poll() is not None
            text = log.read_text(errors='replace')
            if max_epochs is None and (found := _EPOCHS.search(text)):
                max_epochs = int(found[1])
            if steps := _STEP.findall(text):
                epoch, step, per_epoch, loss = steps[-1]
                share = (int(epoch) - 1 + int(step) / int(per_epoch)) / max_epochs
                bar.set_postfix_str(
                    f'epoch {epoch}/{max_epochs}, loss {float(loss):.3f}', refresh=False
                )
                bar.update(100 * share - bar.n)
            if is_done:
                break
            time.sleep(1)
    if run.returncode:
        tail = '\n'.join(text.splitlines()[-30:])
        raise RuntimeError(f'{what} failed; the end of {log}:\n{tail}')


def read_scores(work_dir: Path) -> dict:
    """Scores of the last evaluation."""
    return json.loads((work_dir / 'scores.json').read_text())


def count_skipped(work_dir: Path) -> int:
    """Unreadable videos that a run reported."""
    reports = sorted(work_dir.glob('*/failures.json'))
    return len(json.loads(reports[-1].read_text())) if reports else 0
