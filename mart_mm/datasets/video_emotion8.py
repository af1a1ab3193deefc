"""VideoEmotion8 (Jiang et al., AAAI 2014): 1,101 user videos, eight emotions."""

from __future__ import annotations

from mart_mm.datasets.annotation_text import read_lines
from mart_mm.datasets.base import AffectiveDataset
from mart_mm.datasets.lists import read_split_json, read_tsn_list
from mart_mm.registry import DATASETS


@DATASETS.register_module()
class VideoEmotion8(AffectiveDataset):
    """VideoEmotion8 with the public TSN-style lists or the same split as one JSON file.

    The test list has no label column: there the name's folder is the class. One name of the training
    list stands twice with two labels; as in the public JSON the last one counts, and both are
    reported. No mood of SenticNet 6 means surprise; eagerness speaks for anticipation, calmness and
    pleasantness for trust.

    Args:
        subset: Of a JSON list: ``training`` or ``validation``.
        kwargs: See :class:`AffectiveDataset`.
    """

    METAINFO = dict(
        classes=[
            'Anger', 'Anticipation', 'Disgust', 'Fear', 'Joy', 'Sadness', 'Surprise', 'Trust',
        ],
        polarity=[-1, 1, -1, -1, 1, -1, 1, 1],
        mood_table=dict(
            anger='Anger',
            disgust='Disgust',
            fear='Fear',
            joy='Joy',
            sadness='Sadness',
            eagerness='Anticipation',
            calmness='Trust',
            pleasantness='Trust',
        ),
    )  # fmt: skip
    EXPECTED_TREE = """{root}/
  annotations/trainlist01.txt   lines "Disgust/name 3"
  annotations/testlist01.txt    lines "Trust/name", no label
  videos/Disgust/name.mp4       one folder per emotion
  subtitles/Disgust/name.srt    optional (.srt, .vtt, .ass)"""
    PREPARE_COMMAND = (
        'tools/data/video_emotion8/README.md says how to get the videos and lists; or plant a data '
        'set of the same layout: mart-mm plant --layout video_emotion8 '
        '--out {root}'
    )
    SPLIT_RULE = 'the public lists, 731 for training (732 lines) and 367 for testing'

    def __init__(self, *, subset: str = 'training', **kwargs: object) -> None:
        self.subset = subset
        super().__init__(**kwargs)

    def read_annotations(self) -> list[dict]:
        """Records of the list; of a name with several labels the last one counts."""
        classes = self.metainfo['classes']
        if self.ann_file.endswith('.json'):
            pairs = read_split_json(self.ann_file, classes, self.subset)
        else:
            pairs = read_tsn_list(self.ann_file, classes, self._has_labels())
        by_name: dict[str, tuple[str, int]] = {}
        for path, label in pairs:
            name = path.rpartition('/')[2]
            if name in by_name:
                first = classes[by_name[name][1]]
                self.say(
                    f'{self.ann_file}: {name!r} is listed as {first} and as {classes[label]}; '
                    f'{classes[label]} counts'
                )
            by_name[name] = (path, label)
        return [dict(video_id=path, gt_emotion=label) for path, label in by_name.values()]

    def _has_labels(self) -> bool:
        """Whether the list has a label column, told by its first line."""
        _, line = next(read_lines(self.ann_file), (0, ''))
        return line.rpartition(' ')[2].isdigit()
