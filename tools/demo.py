"""The main job on the embedded data set: plant, pretrain and finetune MART, compare, draw.

python tools/demo.py [--out demo_out] [--seed 0]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tqdm import tqdm  # noqa: E402

import mart_mm  # noqa: E402, F401
from tools.analysis.planted_pictures import draw_pictures  # noqa: E402
from tools.analysis.planted_truth import score_truth  # noqa: E402
from tools.data.planted.make import make  # noqa: E402

MART = 'configs/mart/mart_mbt_planted.py'
SUPERVISED = 'configs/supervised/mbt_planted.py'


def command(config: str, work_dir: Path, seed: int) -> list[str]:
    """Command line of a training run that evaluates its last weights."""
    return [
        sys.executable, str(ROOT / 'tools' / 'train.py'), str(ROOT / config),
        '--work-dir', str(work_dir), '--cfg-options', f'randomness.seed={seed}',
        f'val_evaluator.dump={work_dir / "scores"}', 'default_hooks.logger.interval=6',
    ]  # fmt: skip


def start(config: str, work_dir: Path, seed: int, threads: int) -> subprocess.Popen:
    """Start a run; its output goes to ``console.log`` in the work directory."""
    work_dir.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {'OMP_NUM_THREADS': str(threads), 'PYTHONUNBUFFERED': '1'}
    with (work_dir / 'console.log').open('w') as log:
        return subprocess.Popen(
            command(config, work_dir, seed), cwd=ROOT, env=environment, stdout=log, stderr=log
        )


def follow(run: subprocess.Popen, work_dir: Path, what: str) -> None:
    """Show a run's progress until it ends.

    Raises:
        RuntimeError: When it fails, with the end of its output.
    """
    line = re.compile(r'Epoch\(train\)\s+\[(\d+)\]\[\s*(\d+)/(\d+)\].*?loss: ([\d.]+)')
    max_epochs = None
    log = work_dir / 'console.log'
    with tqdm(
        total=100, desc=what, unit='%', bar_format='{l_bar}{bar}| {elapsed}<{remaining}{postfix}'
    ) as bar:
        while True:
            is_done = run.poll() is not None
            text = log.read_text(errors='replace')
            if max_epochs is None and (found := re.search(r'max_epochs=(\d+)', text)):
                max_epochs = int(found[1])
            if steps := line.findall(text):
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


def commit() -> str:
    """Commit of the checkout, or ``unknown`` outside git."""
    done = subprocess.run(
        ['git', 'rev-parse', '--short', 'HEAD'], cwd=ROOT, capture_output=True, text=True
    )
    return done.stdout.strip() or 'unknown'


def report(metrics: dict) -> str:
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


def count_skipped(work_dir: Path) -> int:
    """Unreadable videos that a run reported."""
    reports = sorted(work_dir.glob('*/failures.json'))
    return len(json.loads(reports[-1].read_text())) if reports else 0


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', default='demo_out', help='folder of the results')
    parser.add_argument('--seed', type=int, default=0, help='of the training runs')
    args = parser.parse_args()
    begin, out = time.time(), Path(args.out).resolve()
    os.chdir(ROOT)

    print(
        '1/5 planting the data set: mp4 files with sound and subtitles, in data/planted', flush=True
    )
    data = make(ROOT / 'data' / 'planted', jobs=os.cpu_count() or 1, progress=True)
    print(
        '2/5 training MART (pretrain, then finetune) and, beside it, MBT without pretext',
        flush=True,
    )
    mart_dir, supervised_dir = out / 'mart', out / 'supervised'
    supervised = start(SUPERVISED, supervised_dir, args.seed, threads=1)
    try:
        mart = start(MART, mart_dir, args.seed, threads=max(1, (os.cpu_count() or 2) - 1))
        try:
            follow(mart, mart_dir, 'MART')
            follow(supervised, supervised_dir, 'MBT')
        finally:
            mart.kill()
    finally:
        supervised.kill()

    print('3/5 holding it against the planted truth', flush=True)
    from mmengine.config import Config

    cfg = Config.fromfile(MART)
    scores, baseline = read_scores(mart_dir), read_scores(supervised_dir)
    metrics = {key: scores['scores'][key] for key in (
        'emotion_acc', 'emotion_f1', 'sentiment_acc', 'sentiment_f1')}  # fmt: skip
    metrics['supervised_emotion_acc'] = baseline['scores']['emotion_acc']
    metrics |= score_truth(cfg, str(mart_dir / 'pretrained.pth'), data / 'truth.json')

    print('4/5 drawing', flush=True)
    pictures = draw_pictures(cfg, mart_dir, scores, data / 'truth.json', out)
    metrics['videos'] = sum('failed' not in video for video in scores['videos'])
    metrics['skipped'] = count_skipped(mart_dir)
    metrics['seconds'] = round(time.time() - begin, 1)
    metrics |= dict(commit=commit(), seed=args.seed)
    (out / 'metrics.json').write_text(json.dumps(metrics, indent=1))

    print('5/5 done\n', flush=True)
    print(report(metrics))
    print(f'\n{out / "metrics.json"}')
    for picture in pictures:
        print(picture)


if __name__ == '__main__':
    main()
