"""The pictures of the demo."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config

from mart_mm.apis.browse import load_recognizer
from mart_mm.apis.pictures import (
    attention_picture,
    mask_picture,
    recovery_picture,
    timeline_picture,
)
from mart_mm.apis.splits import build_split
from mart_mm.apis.video_batch import VideoBatch, load_video, read_truth
from mart_mm.visualization.confusion import draw_confusion
from mart_mm.visualization.losses import draw_losses
from mart_mm.visualization.run_log import read_run
from mart_mm.visualization.style import save_figure


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
    confusion = draw_confusion(
        scores['scores']['confusion'], scores['classes'], 'MART, test videos'
    )
    switch = next(h['pretrain_epochs'] for h in cfg.custom_hooks if h['type'] == 'StageSwitchHook')
    recognizer = load_recognizer(cfg, str(work_dir / 'pretrained.pth'))
    first, second = _whole_videos(cfg, read_truth(truth_file), 2)
    figures = dict(
        confusion_matrix=confusion,
        losses=draw_losses(read_run(work_dir), switch),
        emotion_curve_1=timeline_picture(recognizer, first),
        emotion_curve_2=timeline_picture(recognizer, second),
        masks=mask_picture(recognizer, first),
        recovery=recovery_picture(recognizer, first),
        # of all words, as a short training may verify none of a video's
        attention=attention_picture(recognizer, first, level=0),
    )
    return [save_figure(figure, out / f'{name}.png') for name, figure in figures.items()]


def _whole_videos(cfg: Config, truth: dict[str, dict], count: int) -> list[VideoBatch]:
    """The first test videos that have picture, sound and subtitles."""
    records = build_split(cfg, 'test', with_pipeline=False)
    names = [records.get_data_info(index)['video_id'] for index in range(len(records))]
    whole = [name for name in names if truth[name]['blemish'] is None]
    return [load_video(cfg, video_id=name, truth=truth) for name in whole[:count]]
