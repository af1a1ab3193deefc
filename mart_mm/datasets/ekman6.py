"""Ekman6 (Xu et al., IEEE Trans. Affective Computing 2018): 1,637 user videos, six emotions."""

from __future__ import annotations

from pathlib import Path

from mart_mm.datasets.base import AffectiveDataset
from mart_mm.registry import DATASETS


def read_tsn_list(path: str | Path, num_classes: int) -> list[tuple[str, int]]:
    """Read lines ``name label`` with labels from 1, as the public split has them.

    Args:
        path: The list.
        num_classes: Number of classes.

    Returns:
        (name, label from 0) by line.

    Raises:
        ValueError: Naming file, line and remedy.
    """
    pairs = []
    for number, line in enumerate(Path(path).read_text(encoding='utf-8').splitlines(), start=1):
        if not line.strip():
            continue
        name, _, label = line.strip().rpartition(' ')
        if not name or not label.isdigit() or not 1 <= int(label) <= num_classes:
            raise ValueError(
                f'{path}, line {number}: {line!r} is not "name label" with a label from 1 to {num_classes}'
            )
        pairs.append((name, int(label) - 1))
    return pairs


@DATASETS.register_module()
class Ekman6(AffectiveDataset):
    """Ekman6 with TSN-style lists (``anger/1000 1``). See :class:`AffectiveDataset`."""

    METAINFO = dict(
        dataset='ekman6',
        classes=['anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise'],
        polarity=[-1, -1, -1, 1, -1, 1],
    )
    EXPECTED_TREE = """{root}/
  annotations/trainlist01.txt   lines "anger/1000 1"
  annotations/testlist01.txt
  videos/anger/1000.mp4         one folder per emotion
  subtitles/anger/1000.srt      optional (.srt, .vtt, .ass)"""
    PREPARE_COMMAND = (
        'ask the authors of Ekman6 for the videos and take the lists of the CTEN repository; '
        'or plant a data set of the same layout: python tools/data/planted/make.py --out {root}'
    )

    def read_annotations(self) -> list[dict]:
        """Records of the list."""
        pairs = read_tsn_list(self.ann_file, len(self.metainfo['classes']))
        return [dict(video_id=name, gt_emotion=label) for name, label in pairs]
