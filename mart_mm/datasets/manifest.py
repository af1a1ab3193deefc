"""Anyone's own data: a table with one line per video, or per part of one."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from pathlib import Path

from mart_mm.datasets.annotation_text import parse_json, read_csv, read_lines
from mart_mm.datasets.base import AffectiveDataset
from mart_mm.datasets.perr import seconds_in
from mart_mm.datasets.remote import located
from mart_mm.errors import shown, unknown_name
from mart_mm.registry import DATASETS

SPLITS = ('train', 'val', 'test')
TEST_SHARE = 0.2
#: column of the feature file of each modality
FEATURE_COLUMNS = dict(visual='visual_features', audio='audio_features')
COLUMNS = ('video', 'start', 'end', 'label', 'labels', 'transcript', 'split', 'id')
_PATHS = ('video', 'transcript', *FEATURE_COLUMNS.values())
_REMEDY = f'columns are {", ".join((*COLUMNS, *FEATURE_COLUMNS.values()))}'


def read_manifest(path: str | Path) -> list[dict[str, object]]:
    """Rows of a manifest, empty fields left out, and ``where`` (file and line) for messages.

    Args:
        path: ``.csv`` whose first line names the columns, or ``.jsonl`` with an object per line.

    Raises:
        ValueError: For another kind of file, an unknown column or a line that is no object, naming
            file, line and remedy.
    """
    path = Path(path)
    if path.suffix not in ('.csv', '.jsonl'):
        raise ValueError(f'{path}: a manifest is a .csv or a .jsonl file')
    if path.suffix == '.csv':
        known, rows = read_csv(path)
        known = [name.lower() for name in known]
        rows = [
            (where, {name.lower(): value for name, value in row.items()}) for where, row in rows
        ]
    else:
        places = ((f'{path}, line {number}', line) for number, line in read_lines(path))
        rows = [(where, _json_object(line, where)) for where, line in places]
        known = list(dict.fromkeys(key for _, row in rows for key in row))
    _check_columns(path, known)
    return [
        {key: value for key, value in row.items() if value not in (None, '', [])}
        | dict(where=where)
        for where, row in rows
    ]


def _check_columns(path: Path, known: list[str]) -> None:
    valid = [*COLUMNS, *FEATURE_COLUMNS.values()]
    for name in known:
        if name not in valid:
            hint = '; separate the columns by commas' if ';' in name or '\t' in name else ''
            raise ValueError(f'{path}: {unknown_name("column", name, valid)}{hint}')
    twice = [name for name, count in Counter(known).items() if count > 1]
    if twice:
        raise ValueError(f'{path}: several columns are named {twice}: keep one of each')


def _json_object(line: str, where: str) -> dict:
    row = parse_json(line, where)
    if not isinstance(row, dict):
        raise ValueError(f'{where}: not a JSON object such as {{"video": "a.mp4"}}')
    for name, value in row.items():
        if name in _PATHS and not isinstance(value, str | None):
            raise ValueError(f'{where}, field {name!r}: {shown(value)} is no text')
    return row


def row_label(row: dict) -> str:
    """The label of a row; of several, given by several people, the most frequent one.

    Ties go to the label named first.

    Raises:
        ValueError: When there is none, or both columns are filled.
    """
    single, several = row.get('label'), row.get('labels')
    if (single is None) == (several is None):
        raise ValueError(f"{row['where']}: fill either 'label' or 'labels' (joy;joy;surprise)")
    if several is None:
        return str(single).strip()
    given = several.split(';') if isinstance(several, str) else several
    if not isinstance(given, list):
        raise ValueError(f"{row['where']}, field 'labels': {shown(given)} is no list of classes")
    votes = Counter(str(vote).strip() for vote in given if str(vote).strip())
    if not votes:
        raise ValueError(
            f"{row['where']}, field 'labels': {several!r} names none (joy;joy;surprise)"
        )
    return votes.most_common(1)[0][0]


def split_rows(rows: list[dict], test_share: float) -> dict[str, list[dict]]:
    """Rows by split, as :class:`ManifestDataset` describes it.

    Raises:
        ValueError: For a split of another name, or a row without, naming file and line.
    """
    has_split = any('split' in row for row in rows)
    by_split: dict[str, list[dict]] = {name: [] for name in SPLITS}
    for row in rows:
        if has_split:
            split = row.get('split')
        else:
            name = str(row.get('video') or ''.join(str(row[c]) for c in _feature_columns(row)))
            split = 'test' if zlib.crc32(name.encode()) / 2**32 < test_share else 'train'
        if split not in SPLITS:
            raise ValueError(f"{row['where']}, field 'split': {split!r}: write one of {SPLITS}")
        by_split[split].append(row)
    return by_split


def _feature_columns(row: dict) -> list[str]:
    return [column for column in FEATURE_COLUMNS.values() if column in row]


@DATASETS.register_module()
class ManifestDataset(AffectiveDataset):
    """Videos, or precomputed features, listed in one table.

    =========================================== =================================================
    column
    =========================================== =================================================
    ``video``                                   file; paths are relative to the manifest; or an
                                                address, or a file in a tar archive
    ``start``, ``end``                          seconds of the part that is used; default: all
    ``label``                                   emotion class
    ``labels``                                  instead: several people's, ``joy;joy;surprise``
    ``transcript``                              .srt, .vtt, .ass; default: found beside the video
    ``split``                                   ``train``, ``val`` or ``test``
    ``id``                                      default: video and times
    ``visual_features``, ``audio_features``     files of features instead of, or beside, a video
    =========================================== =================================================

    Only ``label`` and one of ``video`` and the feature columns must be there. Without a ``split``
    column videos are dealt out by a hash of their name, ``test_share`` of them to ``test`` (and none
    to ``val``), parts of one video to the same split.

    Args:
        split: Which rows are used.
        classes: Emotion classes; the labels of the manifest must be among them.
        polarity: Polarity of each class.
        mood_table: Class of each of the lexicon's moods; without it words are verified by sentiment
            alone.
        test_share: See above.
        kwargs: See :class:`AffectiveDataset`.

    Raises:
        ValueError: Naming file, line, field and remedy.
    """

    EXPECTED_TREE = """{root}/
  manifest.csv      columns video,label, and start,end,transcript,split as needed
  ...               the videos, wherever the manifest says"""
    PREPARE_COMMAND = 'python tools/data/manifest/prepare.py MANIFEST --out my_config.py'

    def __init__(
        self,
        *,
        split: str,
        classes: list[str],
        polarity: list[int],
        mood_table: dict | None = None,
        test_share: float = TEST_SHARE,
        **kwargs: object,
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f'ManifestDataset: split={split!r}: choose one of {SPLITS}')
        if len(classes) != len(polarity):
            raise ValueError(f'{len(classes)} classes, but {len(polarity)} polarities')
        self.split, self.test_share = split, test_share
        metainfo = dict(classes=classes, polarity=polarity, mood_table=mood_table or {})
        super().__init__(metainfo=metainfo | (kwargs.pop('metainfo', None) or {}), **kwargs)

    def _required(self) -> list[Path]:
        return [Path(self.ann_file)]

    def read_annotations(self) -> list[dict]:
        """Records of the split."""
        rows = split_rows(read_manifest(self.ann_file), self.test_share)[self.split]
        return [self._record(row) for row in rows]

    def _record(self, row: dict) -> dict:
        where, columns = row['where'], _feature_columns(row)
        if 'video' not in row and not columns:
            raise ValueError(f'{where}: neither a video nor a file of features; {_REMEDY}')
        folder = Path(self.ann_file).parent
        media = str(row.get('video') or row[columns[0]])
        record = dict(gt_emotion=self.class_index(row_label(row), where), media=media)
        times = [str(row[field]) for field in ('start', 'end') if field in row]
        for field in ('start', 'end'):
            if field in row:
                record[field] = seconds_in(str(row[field]), f'{where}, field {field!r}')
        if record.get('start', 0.0) >= record.get('end', math.inf):
            raise ValueError(
                f"{where}, fields 'start' and 'end': {times[0]} is not before {times[-1]}"
            )
        record['video_id'] = str(row.get('id') or '#'.join([media, '-'.join(times)]).rstrip('#'))
        record['video_path'] = located(folder, media) if 'video' in row else ''
        record['transcript_path'] = (
            located(folder, row['transcript']) if 'transcript' in row else ''
        )
        if columns:
            record['features'] = {
                name: located(folder, row[column])
                for name, column in FEATURE_COLUMNS.items()
                if column in row
            }
        return record
