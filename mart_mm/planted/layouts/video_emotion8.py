"""VideoEmotion8: lists ``Disgust/name 3`` and ``Trust/name``, with the traps of the public ones."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from mart_mm.datasets.video_emotion8 import VideoEmotion8
from mart_mm.planted.class_set import ClassSet
from mart_mm.planted.layouts.base import Layout, write_lines
from mart_mm.planted.options import SPLITS
from mart_mm.planted.plans import FilePlan

#: as users named their videos, dots, brackets and all
_NAMES = (
    '{number}_7ceb8fb27b_700',
    '_{name}_-Supercut{number}[HD]',
    '{name}...-YouTube{number}',
    '{name}(OriginalMix),No.{number}',
    '{number}__700',
    'LossandC.S.Lewis={name}@{number}-YouTube',
    '{name}[Part{number}]',
    'Priceless..{name}#{number};^~.wmv',
)


class VideoEmotion8Layout(Layout):
    """A video is a record."""

    classes = ClassSet.of(
        VideoEmotion8.METAINFO,
        {name: (name.lower(),) for name in VideoEmotion8.METAINFO['classes']},
    )

    def name(self, split: str, files: Sequence[FilePlan]) -> None:
        """A folder per emotion; even numbers train and odd ones test."""
        for file in files:
            (record,) = file.records
            # shifted every round, or the videos of a class would all be named alike
            turn = record.index + record.index // len(_NAMES)
            emotion = self.classes.names[record.emotion]
            name = _NAMES[turn % len(_NAMES)].format(
                name=emotion, number=1000 + 2 * record.index + SPLITS.index(split)
            )
            record.video_id = f'{emotion}/{name}'
            file.video = f'videos/{record.video_id}.mp4'
            file.subtitles = f'subtitles/{record.video_id}.srt'

    def write_annotations(self, out: Path, files: Sequence[FilePlan]) -> None:
        """``annotations/{classInd,trainlist01,testlist01}.txt``, without final newlines.

        The test list has no labels. One training video stands twice, under two emotions: the last
        line is right.
        """
        names = self.classes.names
        lists = {split: [] for split in SPLITS}
        for file in files:
            lists[file.split].append(file)
        train = [self._line(file, file.records[0].emotion) for file in lists['train']]
        twice = next((file for file in lists['train'] if file.blemish is None), None)
        if twice is not None:
            wrong = (twice.records[0].emotion + 1) % len(names)
            train.insert(0, self._line(twice, wrong))
            for path in (twice.video, twice.subtitles):
                folder, _, name = path.split('/')
                target = out / folder / names[wrong] / name
                target.parent.mkdir(exist_ok=True)
                shutil.copyfile(out / path, target)
        folder = out / 'annotations'
        test = [file.records[0].video_id for file in lists['test']]
        ids = [f'{number} {name}' for number, name in enumerate(names, start=1)]
        for name, lines in (('classInd', ids), ('trainlist01', train), ('testlist01', test)):
            write_lines(folder / f'{name}.txt', lines, has_final_newline=False)

    def _line(self, file: FilePlan, emotion: int) -> str:
        name = file.records[0].video_id.partition('/')[2]
        return f'{self.classes.names[emotion]}/{name} {emotion + 1}'


LAYOUT = VideoEmotion8Layout
