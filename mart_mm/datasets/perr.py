"""PERR (Gao et al., ACM MM 2021): drama clips, the emotion between two people."""

from __future__ import annotations

from mart_mm.datasets.annotation_text import read_csv
from mart_mm.datasets.base import AffectiveDataset
from mart_mm.errors import shown
from mart_mm.registry import DATASETS

COLUMNS = ('clip', 'person_a', 'person_b', 'label')


@DATASETS.register_module()
class PERR(AffectiveDataset):
    """Clips labelled for a pair of people, read from a CSV file.

    No public file format is known; this is ours. Columns: ``clip`` (path of the video below the video
    folder, without suffix), ``person_a``, ``person_b``, ``label``, and optionally ``start`` and
    ``end`` in seconds. A clip stands once for each of its pairs; each line is a record.

    Args:
        kwargs: See :class:`AffectiveDataset`. With ``sentiment='two-way'`` neutral clips count as not
            negative.
    """

    METAINFO = dict(
        classes=['neutral', 'mild', 'intimate', 'tense', 'hostile'],
        polarity=[0, 1, 1, -1, -1],
        mood_table=dict(
            calmness='mild',
            pleasantness='mild',
            joy='intimate',
            eagerness='intimate',
            fear='tense',
            sadness='tense',
            anger='hostile',
            disgust='hostile',
        ),
    )
    EXPECTED_TREE = """{root}/
  annotations/train.csv         columns clip,person_a,person_b,label[,start,end]
  annotations/test.csv
  videos/clip.mp4
  subtitles/clip.srt            optional (.srt, .vtt, .ass)"""
    PREPARE_COMMAND = (
        'tools/data/perr/README.md describes the CSV file; or plant a data set of the same layout: '
        'mart-mm plant --layout perr --out {root}'
    )
    SPLIT_RULE = 'the two CSV files; no public split is known'

    def read_annotations(self) -> list[dict]:
        """Records of the CSV file, one per clip and pair.

        Raises:
            ValueError: Naming file, line, field and remedy.
        """
        columns, rows = read_csv(self.ann_file)
        missing = [name for name in COLUMNS if name not in columns]
        if missing:
            raise ValueError(
                f'{self.ann_file}: no column {missing}; the first line must name '
                f'{",".join(COLUMNS)}'
            )
        return [self._record(row, where) for where, row in rows]

    def _record(self, row: dict, where: str) -> dict:
        clip, first, second, label = (row[name].strip() for name in COLUMNS)
        if not (clip and first and second):
            raise ValueError(f'{where}: clip, person_a and person_b must not be empty')
        record = dict(
            video_id=f'{clip}#{first}-{second}',
            media=clip,
            gt_emotion=self.class_index(label.lower(), where),
        )
        for field in ('start', 'end'):
            if row.get(field, '').strip():
                record[field] = seconds_in(row[field], f'{where}, field {field!r}')
        return record


def seconds_in(text: str, where: str) -> float:
    """A time in seconds, 0 or later.

    Raises:
        ValueError: Naming the place.
    """
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float('inf'):
        raise ValueError(f'{where}: {shown(text)} is no time in seconds, such as 12.5')
    return value
