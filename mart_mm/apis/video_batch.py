"""One video of a config's data set as a batch, with what is planted in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.logging import print_log

from mart_mm.apis.splits import build_split
from mart_mm.datasets.collate import affective_collate
from mart_mm.errors import MediaError, unknown_name


class VideoBatch:
    """One video of a data set, as a batch.

    Attributes:
        batch: As the collate function gives it.
        classes: Emotion classes.
        plan: What is planted in it, of ``truth.json``; None for other videos.
    """

    def __init__(self, batch: dict, classes: Sequence[str], plan: dict | None) -> None:
        self.batch, self.classes, self.plan = batch, list(classes), plan

    @property
    def video_id(self) -> str:
        """Its name."""
        return self.batch['data_samples'][0].video_id

    @property
    def frames(self) -> np.ndarray:
        """uint8 (S, T, H, W, 3).

        Raises:
            ValueError: When the data set holds features in place of frames.
        """
        imgs = self.batch['inputs']['imgs'][0]
        if imgs.ndim != 5:
            raise ValueError(
                f'{self.video_id}: the data set gives features {tuple(imgs.shape)}, no frames: '
                'choose a config that reads videos'
            )
        return imgs.permute(0, 2, 3, 4, 1).numpy()

    @property
    def truth(self) -> tuple[int, np.ndarray] | None:
        """Planted class, and its degree (S,)."""
        if self.plan is None:
            return None
        return self.plan['emotion'], np.array(self.plan['degree'])[:, self.plan['emotion']]


def read_truth(path: str | Path) -> dict[str, dict]:
    """What is planted, by video: of a planted data set's ``truth.json``.

    Raises:
        OSError: When the file cannot be read.
        ValueError: When it is another file.
    """
    try:
        return json.loads(Path(path).read_text(encoding='utf-8'))['videos']
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f'{path}: no truth of planted videos ({error}): give truth.json of the folder that '
            '`mart-mm plant` wrote'
        ) from error


def load_video(
    cfg: Config,
    *,
    split: str = 'test',
    video_id: str | None = None,
    truth: dict[str, dict] | None = None,
) -> VideoBatch:
    """A video of a split, as testing reads it.

    Args:
        cfg: The config.
        split: One of :data:`mart_mm.apis.splits.SPLITS`.
        video_id: Which; default: the first that can be read, with a ``truth`` the first that has
            picture, sound and subtitles.
        truth: As :func:`read_truth` returns it.

    Raises:
        MediaError: When the video cannot be read.
        ValueError: When there is no such video, or none that can be read.
    """
    data_set = build_split(cfg, split)
    names = [data_set.get_data_info(index)['video_id'] for index in range(len(data_set))]
    if video_id is not None and video_id not in names:
        raise ValueError(f'{cfg.filename}: {unknown_name(f"video of {split}", video_id, names)}')
    for index, name in enumerate(names):
        plan = (truth or {}).get(name)
        is_wanted = name == video_id
        if video_id is not None and not is_wanted:
            continue
        if video_id is None and plan is not None and plan['blemish'] is not None:
            continue
        try:
            packed = data_set.prepare_data(index)
        except MediaError as error:
            if is_wanted:
                raise
            print_log(f'skipped: {error}', logger='current')
            continue
        packed['data_samples'].set_metainfo(dict(failures=[]))
        return VideoBatch(affective_collate([packed]), data_set.metainfo['classes'], plan)
    raise ValueError(f'{cfg.filename}: none of {len(names)} videos of {split} could be read')
