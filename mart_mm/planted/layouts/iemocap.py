"""IEMOCAP: dialogues of two actors side by side, five sessions, the fifth for testing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mart_mm.datasets.iemocap import IEMOCAP
from mart_mm.lexicon.base import Lexicon
from mart_mm.planted.class_set import ClassSet
from mart_mm.planted.layouts.base import Layout, write_lines
from mart_mm.planted.options import Options
from mart_mm.planted.plans import FilePlan, RecordPlan
from mart_mm.planted.render_turn import write_turn
from mart_mm.planted.word_bank import Word

_LABELS = dict(
    happy='hap', sad='sad', neutral='neu', angry='ang', excited='exc', frustrated='fru'
)  # fmt: skip
_UNUSED_LABELS = ('xxx', 'oth')  # no agreement of the annotators, another emotion
_RATED = dict(
    hap='Happiness', sad='Sadness', neu='Neutral state', ang='Anger', exc='Excited',
    fru='Frustration', xxx='Other', oth='Other',
)  # fmt: skip
_TRAIN_SESSIONS = 4
_MOST_SEGMENTS = 8  # a turn says no word twice
_PAUSE = (0.25, 0.75)  # s, before a turn
_HEADER = '% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]'


class IEMOCAPLayout(Layout):
    """An utterance is a record, in its speaker's half of the picture.

    Each dialogue ends with a turn whose label no preset uses.

    Raises:
        ValueError: For more segments than there are words for.
    """

    classes = ClassSet.of(
        IEMOCAP.PRESETS['6-way'],
        dict(
            happy=('joy', 'trust'),
            sad=('sadness',),
            angry=('anger',),
            excited=('anticipation',),
            frustrated=('disgust',),
        ),
    )
    records_per_file = (2, 3, 4)
    columns = 2

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        if options.segments > _MOST_SEGMENTS:
            raise ValueError(
                f'segments={options.segments}: an utterance of IEMOCAP has {_MOST_SEGMENTS} at most'
            )

    def pause(self, rng: np.random.Generator) -> float:
        """Neither actor speaks."""
        return round(float(rng.uniform(*_PAUSE)), 2)

    def tail(self, indices: range) -> float:
        """The last turn."""
        return self.options.segment_seconds

    def write_words(
        self,
        record: RecordPlan,
        bank: list[list[Word]],
        lexicon: Lexicon,
        rng: np.random.Generator,
    ) -> None:
        """An utterance is one line: times of its words follow from its times alone."""
        rates = (self.options.misleading, self.options.echo)
        write_turn(record, rates, self.classes, bank, lexicon, rng)

    def name(self, split: str, files: Sequence[FilePlan]) -> None:
        """``Ses01F_impro01_M000``; the actor whom the dialogue's name names stands on the left."""
        for number, file in enumerate(files):
            session = 5 if split == 'test' else 1 + number % _TRAIN_SESSIONS
            turn = number if split == 'test' else number // _TRAIN_SESSIONS
            kind = f'impro{1 + turn // 2:02d}' if turn % 3 else f'script{1 + turn // 2:02d}_1'
            dialogue = f'Ses{session:02d}{"FM"[turn % 2]}_{kind}'
            for place, record in enumerate(file.records):
                record.video_id = _turn_name(dialogue, place)
            file.video = f'Session{session}/dialog/avi/DivX/{dialogue}.mp4'

    def write_annotations(self, out: Path, files: Sequence[FilePlan]) -> None:
        """``EmoEvaluation/*.txt`` and, where there are words, ``transcriptions/*.txt``."""
        for number, file in enumerate(files):
            session, dialogue = Path(file.video).parts[0], Path(file.video).stem
            evaluation, transcription = [_HEADER, ''], []
            for record in file.records:
                name = record.video_id
                label = _LABELS[self.classes.names[record.emotion]]
                evaluation += _rated(name, record.start, record.end, label, self._affect(record))
                text = ' '.join(line.text for line in record.lines)
                transcription.append(_said(name, record.start, record.end, text))
            name = _turn_name(dialogue, len(file.records))
            times = (file.records[-1].end + 0.1, file.duration)
            label = _UNUSED_LABELS[number % len(_UNUSED_LABELS)]
            evaluation += _rated(name, *times, label, (2.5, 2.5, 2.5))
            transcription += [_said(name, *times, 'Mm-hmm.'), f'{name[5]}: Okay.']
            folder = out / session / 'dialog'
            write_lines(folder / 'EmoEvaluation' / f'{dialogue}.txt', evaluation)
            if file.blemish != 'no_subtitles':
                write_lines(folder / 'transcriptions' / f'{dialogue}.txt', transcription)

    def _affect(self, record: RecordPlan) -> tuple[float, float, float]:
        """Valence, arousal and dominance, 1 to 5."""
        degree = max(segment.degree for segment in record.segments)
        return (3 + 2 * degree * self.classes.polarity[record.emotion], 2.5 + 2 * degree, 3.0)


def _turn_name(dialogue: str, place: int) -> str:
    """Name of a dialogue's turn: the actors take turns, the one on the left begins."""
    left = dialogue[5]
    speaker = left if place % 2 == 0 else 'FM'.replace(left, '')
    return f'{dialogue}_{speaker}{place // 2:03d}'


def _rated(
    name: str, start: float, end: float, label: str, affect: tuple[float, float, float]
) -> list[str]:
    """A turn's block of EmoEvaluation: the verdict and what the annotators said."""
    values = ', '.join(f'{value:.4f}' for value in affect)
    valence, arousal, dominance = (round(value) for value in affect)
    ratings = f'val {valence}; act {arousal}; dom  {dominance};\t()'
    return [
        f'[{start:.4f} - {end:.4f}]\t{name}\t{label}\t[{values}]',
        *(f'C-{who}:\t{_RATED[label]};\t()' for who in ('E1', 'E2', 'E4', 'F1')),
        *(f'A-{who}:\t{ratings}' for who in ('E3', 'E4', 'F1')),
        '',
    ]


def _said(name: str, start: float, end: float, text: str) -> str:
    return f'{name} [{start:08.4f}-{end:08.4f}]: {text}'


LAYOUT = IEMOCAPLayout
