"""How much is planted, how large and how hard."""

from __future__ import annotations

from dataclasses import dataclass

LAYOUTS = ('ekman6', 'video_emotion8', 'perr', 'iemocap', 'affwild2')
SPLITS = ('train', 'test')
GRID = 6  # cells along each side of the picture
DEGREES = (0.4, 1.0)  # of planted emotion, and strength of distractors


@dataclass(frozen=True)
class Options:
    """How many records, how large, how hard.

    A record is what the data set's reader gives: a video, a pair's part of a clip (PERR), an
    utterance (IEMOCAP) or a window (AffWild2).

    Attributes:
        layout: The data set whose files are imitated, one of :data:`LAYOUTS`.
        train: Training records.
        test: Test records.
        segments: Segments per record.
        segment_seconds: Seconds of a segment.
        size: Pixels of the square picture's side, a multiple of 6.
        fps: Frames per second.
        difficulty: 0 to 1: nuisance against signal in picture and sound.
        misleading: Probability that a planted segment's line has a word of another emotion too.
        echo: Probability that another segment's line has a strong word of the record's emotion.
        blemishes: Whether some files are silent, without subtitles, of variable rate or cut off.
        seed: Of everything.

    Raises:
        ValueError: For a value out of range.
    """

    layout: str = 'ekman6'
    train: int = 96
    test: int = 96
    segments: int = 6
    segment_seconds: float = 1.0
    size: int = 48
    fps: int = 8
    difficulty: float = 0.4
    misleading: float = 0.5
    echo: float = 0.5
    blemishes: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        """Check."""
        if self.layout not in LAYOUTS:
            raise ValueError(f'layout={self.layout!r}: choose one of {", ".join(LAYOUTS)}')
        for name in ('train', 'test'):
            if getattr(self, name) < 0:
                raise ValueError(f'{name}={getattr(self, name)}: a number of records is 0 or more')
        if not self.train + self.test:
            raise ValueError('train=0 and test=0: nothing to plant; ask for some videos')
        if self.segments < 1:
            raise ValueError(f'segments={self.segments}: at least 1 is needed')
        if self.segment_seconds < 0.4 or self.segment_seconds * self.fps < 1:
            raise ValueError(
                f'segment_seconds={self.segment_seconds}, fps={self.fps}: a segment needs at least '
                '0.4 s and one frame'
            )
        if self.size < 24 or self.size % GRID:
            raise ValueError(f'size={self.size}: a multiple of {GRID} from 24 on is needed')
        for name in ('difficulty', 'misleading', 'echo'):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f'{name}={getattr(self, name)} is not in [0, 1]')
        if self.seed < 0:
            raise ValueError(f'seed={self.seed}: 0 or more is needed')

    @property
    def duration(self) -> float:
        """Seconds of a record."""
        return self.segments * self.segment_seconds
