"""Ekman6 (Xu et al., IEEE Trans. Affective Computing 2018): 1,637 user videos, six emotions."""

from __future__ import annotations

from mart_mm.datasets.base import AffectiveDataset
from mart_mm.datasets.lists import read_split_json, read_tsn_list
from mart_mm.registry import DATASETS


@DATASETS.register_module()
class Ekman6(AffectiveDataset):
    """Ekman6 with TSN-style lists (``anger/1000 1``) or the same split as one JSON file.

    No mood of SenticNet 6 means surprise; its eager, calm and pleasant words speak for joy.

    Args:
        subset: Of a JSON list: ``training`` or ``validation``.
        kwargs: See :class:`AffectiveDataset`.
    """

    METAINFO = dict(
        classes=['anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise'],
        polarity=[-1, -1, -1, 1, -1, 1],
        mood_table=dict(
            anger='anger',
            disgust='disgust',
            fear='fear',
            joy='joy',
            sadness='sadness',
            eagerness='joy',
            calmness='joy',
            pleasantness='joy',
        ),
    )
    EXPECTED_TREE = """{root}/
  annotations/trainlist01.txt   lines "anger/1000 1"
  annotations/testlist01.txt
  videos/anger/1000.mp4         one folder per emotion
  subtitles/anger/1000.srt      optional (.srt, .vtt, .ass)"""
    PREPARE_COMMAND = (
        'tools/data/ekman6/README.md says how to get the videos and lists; '
        'or plant a data set of the same layout: mart-mm plant --out {root}'
    )
    SPLIT_RULE = 'the public lists, 819 for training and 818 for testing'

    def __init__(self, *, subset: str = 'training', **kwargs: object) -> None:
        self.subset = subset
        super().__init__(**kwargs)

    def read_annotations(self) -> list[dict]:
        """Records of the list."""
        classes = self.metainfo['classes']
        if self.ann_file.endswith('.json'):
            pairs = read_split_json(self.ann_file, classes, self.subset)
        else:
            pairs = read_tsn_list(self.ann_file, classes)
        return [dict(video_id=name, gt_emotion=label) for name, label in pairs]
