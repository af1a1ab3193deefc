"""Ekman6: lists ``anger/1000 1``, a folder per emotion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mart_mm.datasets.ekman6 import Ekman6
from mart_mm.planted.class_set import ClassSet
from mart_mm.planted.layouts.base import Layout, write_lines
from mart_mm.planted.options import SPLITS
from mart_mm.planted.plans import FilePlan


class Ekman6Layout(Layout):
    """A video is a record."""

    classes = ClassSet.of(Ekman6.METAINFO, {name: (name,) for name in Ekman6.METAINFO['classes']})

    def name(self, split: str, files: Sequence[FilePlan]) -> None:
        """``anger/1000``: even numbers train and odd ones test, as in the public split."""
        count = len(self.classes.names)
        for file in files:
            (record,) = file.records
            number = 1000 + 2 * (record.index // count) + SPLITS.index(split)
            record.video_id = f'{self.classes.names[record.emotion]}/{number}'
            file.video = f'videos/{record.video_id}.mp4'
            file.subtitles = f'subtitles/{record.video_id}.srt'

    def write_annotations(self, out: Path, files: Sequence[FilePlan]) -> None:
        """``annotations/{classInd,trainlist01,testlist01}.txt``."""
        folder = out / 'annotations'
        write_lines(
            folder / 'classInd.txt',
            [f'{number} {name}' for number, name in enumerate(self.classes.names, start=1)],
        )
        for split in SPLITS:
            records = [record for f in files if f.split == split for record in f.records]
            records.sort(key=lambda record: (record.emotion, record.video_id))
            write_lines(
                folder / f'{split}list01.txt',
                [f'{record.video_id} {record.emotion + 1}' for record in records],
            )


LAYOUT = Ekman6Layout
