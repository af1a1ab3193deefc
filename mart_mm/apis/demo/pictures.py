"""The pictures of the demo."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.runner import Runner

from mart_mm.apis.browse import load_recognizer
from mart_mm.apis.demo.truth_scores import Inspection, inspect, is_true_word
from mart_mm.visualization.confusion import draw_confusion
from mart_mm.visualization.losses import draw_losses, read_scalars
from mart_mm.visualization.masks import draw_masks
from mart_mm.visualization.style import save_figure
from mart_mm.visualization.timeline import draw_timeline


def draw_pictures(
    cfg: Config, work_dir: Path, scores: dict, truth_file: Path, out: Path
) -> list[Path]:
    """Draw everything into ``out``.

    Args:
        cfg: Config of the run.
        work_dir: The run's folder.
        scores: Its dumped scores.
        truth_file: ``truth.json`` of the data set.
        out: Folder of the pictures.

    Returns:
        The files.
    """
    truth = json.loads(Path(truth_file).read_text())
    classes = truth['classes']
    files = [
        save_figure(
            draw_confusion(scores['scores']['confusion'], classes, 'MART, test videos'),
            out / 'confusion_matrix.png',
        )
    ]
    scalars = sorted(work_dir.glob('*/vis_data/scalars.json'))[-1]
    switch = next(h['pretrain_epochs'] for h in cfg.custom_hooks if h['type'] == 'StageSwitchHook')
    files.append(save_figure(draw_losses(read_scalars(scalars), switch), out / 'losses.png'))

    recognizer = load_recognizer(cfg, str(work_dir / 'pretrained.pth'))
    batch = next(iter(Runner.build_dataloader(cfg.test_dataloader, seed=0)))
    early, late = (inspect(recognizer, batch, progress) for progress in (0.05, 1.0))
    whole = [
        index
        for index, sample in enumerate(late.samples)
        if truth['videos'][sample.video_id]['blemish'] is None
    ]
    for number, index in enumerate(whole[:2], start=1):
        plan = truth['videos'][late.samples[index].video_id]
        files.append(
            save_figure(_timeline(late, index, plan, classes), out / f'emotion_curve_{number}.png')
        )
    grid = recognizer.backbone.visual.spec.grid
    index = whole[0]
    plan = truth['videos'][late.samples[index].video_id]
    frames = batch['inputs']['imgs'][index, :, :, 0].permute(0, 2, 3, 1).numpy()
    masks = {
        f'{name} (r = {recognizer.pretext.branches["visual"].masker.ratio(progress):.2f})': _mask(
            found, index, grid
        )
        for name, found, progress in (('early', early, 0.05), ('late', late, 1.0))
    }
    labels = [
        f'planted {classes[plan["emotion"]]} {d[plan["emotion"]]:.2f}' for d in plan['degree']
    ]
    files.append(save_figure(draw_masks(frames, masks, labels, plan['patches']), out / 'masks.png'))
    return files


def _mask(found: Inspection, index: int, grid: tuple[int, ...]) -> np.ndarray:
    """Visual mask of a video's segments at the first tubelet, bool (S, h, w)."""
    segments = found.view.distribution.shape[1]
    masked = found.is_masked['visual'].unflatten(0, (-1, segments))[index]
    return masked.unflatten(1, grid)[:, 0].numpy()


def _timeline(found: Inspection, index: int, plan: dict, classes: list[str]) -> object:
    sample = found.samples[index]
    cues = [
        dict(cue, is_true=is_true_word(cue, plan['words'])) for cues in sample.cues for cue in cues
    ]
    degree = np.array(plan['degree'])[:, plan['emotion']]
    curves = {
        'temporal CAM': found.view.distribution[index].numpy(),
        'recovered': found.recovered[index].numpy(),
    }
    title = f'{sample.video_id}: predicted {classes[sample.pred_emotion]}'
    return draw_timeline(
        sample.segment_times.numpy(), curves, classes, cues, title, (plan['emotion'], degree)
    )
