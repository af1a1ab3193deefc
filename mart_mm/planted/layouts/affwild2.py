"""AffWild2: long videos, an expression and valence and arousal for each frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mart_mm.datasets.affwild2 import AffWild2
from mart_mm.planted.class_set import ClassSet
from mart_mm.planted.layouts.base import Layout, write_lines
from mart_mm.planted.options import SPLITS, Options
from mart_mm.planted.plans import FilePlan
from mart_mm.planted.randomness import generator
from mart_mm.planted.render_visual import frame_times

#: valence and arousal of a class at degree 1
AFFECT = dict(
    Neutral=(0.0, 0.0), Anger=(-0.6, 0.7), Disgust=(-0.8, 0.4), Fear=(-0.5, 0.8),
    Happiness=(0.8, 0.4), Sadness=(-0.7, -0.5), Surprise=(0.4, 0.8), Other=(0.6, -0.6),
)  # fmt: skip
_AFFECT_NOISE = 0.02
_FOLDERS = dict(train='Train_Set', test='Validation_Set')
_UNLABELLED, _UNLABELLED_AFFECT = -1, -5


class AffWild2Layout(Layout):
    """A window of ``segments * segment_seconds * fps`` frames is a record.

    The class is planted in one run of segments, more than half of the window's, and frames outside
    are Neutral; so the window's most frequent class is the record's. No mood means Other: it has a
    texture and a sound, and all words in its windows mislead. A split's first video ends with a
    window without labels, its last one's annotation is named as a second face's is, and a third is
    kept as frames too.

    Raises:
        ValueError: When segments do not end with a frame.
    """

    classes = ClassSet.of(
        AffWild2.PRESETS['8-way'],
        dict(
            Anger=('anger',),
            Disgust=('disgust',),
            Fear=('fear',),
            Happiness=('joy', 'trust'),
            Sadness=('sadness',),
            Surprise=('surprise',),
            Other=('anticipation',),
        ),
    )
    records_per_file = (2, 3, 4)

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        frames = options.segment_seconds * options.fps
        if abs(frames - round(frames)) > 1e-9:
            raise ValueError(
                f'segment_seconds={options.segment_seconds}, fps={options.fps}: AffWild2 labels '
                'frames, hence a segment needs a whole number of them'
            )
        self.segment_frames = round(frames)

    def tail(self, indices: range) -> float:
        """The window without labels."""
        return 0.0 if indices[0] else self.options.duration

    def planted_segments(self, count: int, rng: np.random.Generator) -> set[int]:
        """One run, more than half of the segments and, where that leaves some, not all."""
        low = count // 2 + 1
        length = int(rng.integers(low, max(low, count - 1) + 1))
        first = int(rng.integers(count - length + 1))
        return set(range(first, first + length))

    def name(self, split: str, files: Sequence[FilePlan]) -> None:
        """``1-8-48x48``, number, rate and size: even numbers train and odd ones test."""
        options, window = self.options, self.options.segments * self.segment_frames
        whole = [f for f in files if f.blemish not in ('truncated', 'variable_frame_rate')]
        for number, file in enumerate(files):
            shape = f'{options.fps}-{options.size}x{options.size}'
            video = f'{2 + 2 * number + SPLITS.index(split)}-{shape}'
            face = f'{video}_left' if file is files[-1] else video
            for place, record in enumerate(file.records):
                record.video_id = f'{face}#{place * window}-{(place + 1) * window}'
            file.video, file.subtitles = f'videos/{video}.mp4', f'subtitles/{video}.srt'
            file.faces = f'cropped_aligned/{face}' if whole and file is whole[0] else None

    def write_annotations(self, out: Path, files: Sequence[FilePlan]) -> None:
        """A file of expressions and one of valence and arousal for each face."""
        for file in files:
            name = f'{_FOLDERS[file.split]}/{file.records[0].video_id.partition("#")[0]}.txt'
            expressions, affect = self._labels(file)
            write_lines(
                out / 'annotations/EXPR_Recognition_Challenge' / name,
                [','.join(self.classes.names), *map(str, expressions)],
            )
            write_lines(
                out / 'annotations/VA_Estimation_Challenge' / name,
                ['valence,arousal', *(f'{valence:g},{arousal:g}' for valence, arousal in affect)],
            )

    def _labels(self, file: FilePlan) -> tuple[np.ndarray, np.ndarray]:
        """Expression (frames,), and valence and arousal (frames, 2), of each frame."""
        rng = generator(self.options, file.split, file.index, 'layout').spawn(1)[0]
        names = self.classes.names
        neutral = names.index('Neutral')
        emotions = [r.emotion if segment.degree > 0 else neutral for r, segment in file.segments]
        degrees = np.array([segment.degree for _, segment in file.segments])
        centres = degrees[:, None] * np.array([AFFECT[names[emotion]] for emotion in emotions])
        segment_of = file.segment_at(frame_times(file, self.options)[0])
        is_labelled = segment_of >= 0
        expressions = np.where(is_labelled, np.array(emotions)[segment_of], _UNLABELLED)
        noise = _AFFECT_NOISE * rng.standard_normal((len(segment_of), 2))
        affect = (centres[segment_of] + noise).clip(-1, 1).round(3) + 0.0  # no -0
        affect[~is_labelled] = _UNLABELLED_AFFECT
        # in each window half a segment's frames have no label, too few to change the window's
        length, window = self.segment_frames // 2, self.options.segments * self.segment_frames
        for labels, missing in ((expressions, _UNLABELLED), (affect, _UNLABELLED_AFFECT)):
            for place in range(len(file.records)):
                first = place * window + int(rng.integers(window - length + 1))
                labels[first : first + length] = missing
        return expressions, affect


LAYOUT = AffWild2Layout
