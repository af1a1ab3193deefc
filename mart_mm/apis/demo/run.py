"""Plant a data set, pretrain and finetune MART, compare, draw; what ``mart-mm demo`` does."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

from mmengine.config import Config

import mart_mm
from mart_mm.apis.demo.pictures import draw_pictures
from mart_mm.apis.demo.training import count_skipped, follow, read_scores, start
from mart_mm.apis.demo.truth_scores import score_truth
from mart_mm.planted.make import make
from mart_mm.zoo.configs import resolve_config
from mart_mm.zoo.index import checkout

MART, SUPERVISED = 'mart_mbt_planted', 'mbt_planted'
#: where the configs look for the data, seen from the current folder
DATA = Path('data') / 'planted'
_SCORES = ('emotion_acc', 'emotion_f1', 'sentiment_acc', 'sentiment_f1')


def run_demo(out: str | Path = 'demo_out', seed: int = 0) -> dict:
    """Do the main job on planted affect, with a line for each stage.

    The videos are planted in ``data/planted`` of the current folder, where the configs read them.

    Args:
        out: Folder of the results; the two runs are in ``mart`` and ``supervised``.
        seed: Of the training runs.

    Returns:
        The content of ``metrics.json``.

    Raises:
        FileExistsError: When ``data/planted`` holds something else.
        RuntimeError: When a run fails, with the end of its output.
    """
    begin, out = time.time(), Path(out).resolve()
    _say(f'1/5 planting the data set: mp4 files with sound and subtitles, in {DATA}')
    data = make(DATA, jobs=os.cpu_count() or 1, progress=True)
    _say('2/5 training MART (pretrain, then finetune) and, beside it, MBT without pretext')
    mart_dir, supervised_dir = out / 'mart', out / 'supervised'
    _train_both(mart_dir, supervised_dir, seed)

    _say('3/5 holding it against the planted truth')
    cfg = Config.fromfile(resolve_config(MART))
    scores, baseline = read_scores(mart_dir), read_scores(supervised_dir)
    metrics = {key: scores['scores'][key] for key in _SCORES}
    metrics['supervised_emotion_acc'] = baseline['scores']['emotion_acc']
    metrics |= score_truth(cfg, str(mart_dir / 'pretrained.pth'), data / 'truth.json')

    _say('4/5 drawing')
    pictures = draw_pictures(cfg, mart_dir, scores, data / 'truth.json', out)
    metrics['videos'] = sum('failed' not in video for video in scores['videos'])
    metrics['skipped'] = count_skipped(mart_dir)
    metrics['seconds'] = round(time.time() - begin, 1)
    metrics |= dict(version=mart_mm.__version__, commit=_commit(), seed=seed)
    (out / 'metrics.json').write_text(json.dumps(metrics, indent=1))

    _say('5/5 done\n')
    print(summary(metrics))
    print(f'\n{out / "metrics.json"}', *pictures, sep='\n')
    return metrics


def _say(line: str) -> None:
    print(line, flush=True)


def _train_both(mart_dir: Path, supervised_dir: Path, seed: int) -> None:
    """Both runs side by side; neither outlives an error of the other."""
    supervised = start(SUPERVISED, supervised_dir, seed, threads=1)
    try:
        mart = start(MART, mart_dir, seed, threads=max(1, (os.cpu_count() or 2) - 1))
        try:
            follow(mart, mart_dir, 'MART')
            follow(supervised, supervised_dir, 'MBT')
        finally:
            mart.kill()
    finally:
        supervised.kill()


def _commit() -> str:
    """Commit of the checkout, or ``unknown`` outside one."""
    root = checkout()
    if root is None:
        return 'unknown'
    command = ['git', 'rev-parse', '--short', 'HEAD']
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    return done.stdout.strip() or 'unknown'


def summary(metrics: dict) -> str:
    """The figures of the run, for a person."""
    lines = [
        f'emotion    Acc {metrics["emotion_acc"]:.1f} %  F1 {metrics["emotion_f1"]:.1f} %   '
        f'(without pretext: Acc {metrics["supervised_emotion_acc"]:.1f} %)',
        f'sentiment  Acc {metrics["sentiment_acc"]:.1f} %  F1 {metrics["sentiment_f1"]:.1f} %',
        'words kept at level        0      1 (E1)  2 (E2)  3 (E3)',
    ]
    for name in ('precision', 'recall'):
        values = [metrics['verification'][str(level)][name] for level in range(4)]
        lines.append(f'  {name:<22}' + ''.join(f'{value:8.3f}' for value in values))
    lines += [
        f'masked on planted patches, IoU {metrics["mask_iou"]:.3f}   '
        f'(random masks of the same size: {metrics["mask_iou_random"]:.3f})',
        f'recovered against planted course, rank correlation {metrics["recovery_rank_correlation"]:.3f}',
        f'{metrics["videos"]} test videos; {metrics["skipped"]} unreadable videos skipped in all; '
        f'{metrics["seconds"]:.0f} s',
    ]
    return '\n'.join(lines)
