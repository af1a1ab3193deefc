"""PERR: a CSV file with a line per clip and pair of people."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from mart_mm.datasets.perr import PERR
from mart_mm.planted.class_set import ClassSet
from mart_mm.planted.layouts.base import Layout
from mart_mm.planted.options import SPLITS
from mart_mm.planted.plans import FilePlan
from mart_mm.planted.randomness import generator
from mart_mm.planted.word_bank import NAMES


class PERRLayout(Layout):
    """A pair is a record; of a clip with two pairs, each has a part of its own."""

    classes = ClassSet.of(
        PERR.METAINFO,
        dict(
            mild=('trust',),
            intimate=('joy', 'anticipation'),
            tense=('fear', 'sadness'),
            hostile=('anger', 'disgust'),
        ),
    )
    records_per_file = (1, 1, 2)

    def name(self, split: str, files: Sequence[FilePlan]) -> None:
        """``drama_1000``: even numbers train and odd ones test. The first person is in all pairs."""
        for number, file in enumerate(files):
            clip = f'drama_{1000 + 2 * number + SPLITS.index(split)}'
            rng = generator(self.options, split, file.index, 'layout')
            one, *others = rng.choice(NAMES, size=1 + len(file.records), replace=False)
            for record, other in zip(file.records, others, strict=True):
                record.video_id = f'{clip}#{one}-{other}'
            file.video, file.subtitles = f'videos/{clip}.mp4', f'subtitles/{clip}.srt'

    def write_annotations(self, out: Path, files: Sequence[FilePlan]) -> None:
        """``annotations/{train,test}.csv``; times only where a clip has two pairs."""
        folder = out / 'annotations'
        folder.mkdir()
        for split in SPLITS:
            with (folder / f'{split}.csv').open('w', encoding='utf-8', newline='') as stream:
                writer = csv.writer(stream, lineterminator='\n')
                writer.writerow(('clip', 'person_a', 'person_b', 'label', 'start', 'end'))
                for file in files:
                    if file.split == split:
                        writer.writerows(self._rows(file))

    def _rows(self, file: FilePlan) -> list[tuple]:
        rows = []
        for record in file.records:
            clip, _, pair = record.video_id.partition('#')
            times = (round(record.start, 6), round(record.end, 6))
            times = times if len(file.records) > 1 else ('', '')
            rows.append((clip, *pair.split('-'), self.classes.names[record.emotion], *times))
        return rows


LAYOUT = PERRLayout
