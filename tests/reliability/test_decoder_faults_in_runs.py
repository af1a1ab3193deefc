"""Whole runs in which decoders crash and hang: they end, and learn what they learn without these videos."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

from mmengine.config import Config

from mart_mm.apis.run import pin_memory, share_cache, train
from mart_mm.apis.video_batch import read_truth
from mart_mm.datasets.transforms.base import Transform
from mart_mm.errors import MediaError
from mart_mm.registry import LEXICONS, TRANSFORMS

SECONDS = 30.0


@TRANSFORMS.register_module()
class EndDecoder(Transform):
    """Stands for a decoder that some videos end.

    Args:
        ends: Video -> what becomes of its decoder.
    """

    def __init__(self, ends: dict[str, str]) -> None:
        self.ends = ends

    def transform(self, results: dict) -> dict:
        end = self.ends.get(results['video_id'])
        if end == 'unreadable':
            raise MediaError(results['video_path'], 'unreadable')
        if end == 'crash':
            os.kill(os.getpid(), signal.SIGSEGV)
        if end == 'exit':
            os._exit(7)
        if end == 'hang':
            time.sleep(3600)
        return results


def run(config: Path, work_dir: Path, ends: dict[str, str], epochs: int) -> None:
    """Train in a process of its own."""
    cfg = Config.fromfile(config)
    cfg.work_dir, cfg.launcher = str(work_dir), 'none'
    cfg.train_cfg.update(max_epochs=epochs, val_begin=epochs)
    for hook in cfg.custom_hooks:
        hook.update(
            dict(
                StageSwitchHook=dict(pretrain_epochs=epochs // 2),
                FailureReportHook=dict(max_failed_share=0.5),
            ).get(hook.type, {})
        )
    cfg.custom_hooks = [hook for hook in cfg.custom_hooks if hook.type != 'EMAHook']
    cfg.default_hooks.checkpoint.interval = 100
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.update(num_workers=2, persistent_workers=True)
        loader.dataset.read_timeout = SECONDS
        loader.dataset.pipeline = [dict(type='EndDecoder', ends=ends), *loader.dataset.pipeline]
    cfg.cache = None  # nothing in the folder from which tests are run
    share_cache(cfg)
    pin_memory(cfg)
    process = multiprocessing.get_context('fork').Process(target=train, args=(cfg,))
    process.start()
    process.join(600)
    is_done = process.exitcode == 0
    process.kill()
    assert is_done, process.exitcode


def video_ids(data: Path, name: str) -> list[str]:
    lines = (data / 'annotations' / name).read_text().splitlines()
    return [line.rpartition(' ')[0] for line in lines]


def read(work_dir: Path, runs: object) -> tuple[list[dict], dict[str, str], str]:
    """Losses and scores of each step, failures, and the log."""
    (failures,) = work_dir.glob('*/failures.json')
    (log,) = work_dir.glob('*/*.log')
    numbers = [
        {k: v for k, v in row.items() if re.match('loss|affect/|grad_norm', k)}
        for row in runs.scalars(work_dir)
    ]
    return numbers, json.loads(failures.read_text()), log.read_text()


def test_crashes_and_hangs_leave_the_rest_of_the_run_bit_for_bit(
    tiny_config: Path,
    planted: Path,
    tmp_path: Path,
    runs: object,
    count: Callable[[int, int], int],
    tell: Callable[[str], None],
) -> None:
    is_full = count(0, 1)
    blemish = {name: plan['blemish'] for name, plan in read_truth(planted / 'truth.json').items()}
    first, second = [n for n in video_ids(planted, 'trainlist01.txt') if not blemish[n]][:2]
    tested = video_ids(planted, 'testlist01.txt')[1]
    ends = {first: 'crash', second: 'hang' if is_full else 'exit', tested: 'exit'}
    epochs = count(2, 6)
    LEXICONS.build(dict(type='SenticNet6Lexicon'))  # packed once, which takes a while
    run(tiny_config, tmp_path / 'faulty', ends, epochs)
    run(tiny_config, tmp_path / 'plain', dict.fromkeys(ends, 'unreadable'), epochs)
    numbers, failures, log = read(tmp_path / 'faulty', runs)
    expected, plain_failures, _ = read(tmp_path / 'plain', runs)
    assert numbers == expected and len([row for row in numbers if 'loss' in row]) == 3 * epochs
    assert failures.keys() == plain_failures.keys() and len(failures) == 4  # one is planted broken

    def reason(name: str) -> str:
        (found,) = (why for path, why in failures.items() if f'/{name}.' in path)
        return found

    assert reason(first) == 'its decoder crashed (signal 11, SIGSEGV)'
    ended = 'its decoder ended the process'
    slow = f'reading it took more than {SECONDS:g} s'
    assert reason(second).startswith(slow if is_full else f'{ended} (exit code 7)')
    assert reason(tested) == f'{ended} (exit code 7)'
    summaries = re.findall(r'(training, epoch \d|validation after epoch \d): (.+); \d in this', log)
    told = {split: set(text.split(': ')[1].split(', ')) for split, text in summaries}
    kinds = ('cannot be read as video', 'its decoder crashed')
    kinds += ('reading it took more than # s',) if is_full else (ended,)
    for epoch in range(1, epochs + 1):
        assert told[f'training, epoch {epoch}'] == {f'1 x {kind}' for kind in kinds}
    assert told[f'validation after epoch {epochs}'] == {f'1 x {ended}'}
    scores = [row for row in numbers if 'affect/videos' in row][-1]
    assert scores['affect/videos'] == 5
    tell(
        f'{len(ends)} videos end their decoder in {epochs} epochs: {3 * epochs} steps, all losses equal'
    )
