"""What a plan says: the files, the records in them and their segments."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mart_mm.planted.render_words import Cue, Line

Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in fractions of the record's picture


@dataclass
class Segment:
    """A part of a record.

    Attributes:
        start: Seconds of the file.
        end: Seconds of the file.
        degree: Of the record's emotion, 0 where it is not planted.
        patch: Where the class's texture is, None where it is not planted.
        distractors: Where textures of no class are; a listener's lie outside 0 to 1.
        strengths: Of the distractors.
        sound: (start, end) of the class's sound in seconds, or None.
        line: What is said, or None.
    """

    start: float
    end: float
    degree: float = 0.0
    patch: Box | None = None
    distractors: list[Box] = field(default_factory=list)
    strengths: list[float] = field(default_factory=list)
    sound: tuple[float, float] | None = None
    line: Line | None = None


@dataclass
class RecordPlan:
    """A file, or a part of one, with one emotion.

    Attributes:
        index: Place in the split, which seeds the record.
        emotion: Index of the class.
        look: Index of the class's texture and sound, None where the class has none.
        segments: In the order of time.
        column: Which of the pictures side by side shows the record.
        video_id: The name the data set's reader gives it.
    """

    index: int
    emotion: int
    look: int | None
    segments: list[Segment]
    column: int = 0
    video_id: str = ''

    @property
    def start(self) -> float:
        """Seconds of the file."""
        return self.segments[0].start

    @property
    def end(self) -> float:
        """Seconds of the file."""
        return self.segments[-1].end

    @property
    def lines(self) -> list[Line]:
        """What is said, in the order of time."""
        return [segment.line for segment in self.segments if segment.line is not None]

    @property
    def cues(self) -> list[tuple[int, Cue]]:
        """Words that the lexicon knows and the segments they are in."""
        return [
            (number, cue)
            for number, segment in enumerate(self.segments)
            if segment.line is not None
            for cue in segment.line.cues
        ]


@dataclass
class FilePlan:
    """A video file and its records, one after the other.

    Attributes:
        split: ``train`` or ``test``.
        blemish: What is wrong with the file, or None.
        records: In the order of time.
        duration: Seconds.
        columns: Pictures side by side.
        video: Path below the data set's folder.
        subtitles: Path below the data set's folder, or None where the annotation holds the words.
        faces: Folder of numbered frames below the data set's folder, or None.
    """

    split: str
    blemish: str | None
    records: list[RecordPlan]
    duration: float
    columns: int = 1
    video: str = ''
    subtitles: str | None = None
    faces: str | None = None

    @property
    def index(self) -> int:
        """Of the first record, which seeds what is drawn."""
        return self.records[0].index

    @property
    def segments(self) -> list[tuple[RecordPlan, Segment]]:
        """Segments of all records, each with its record."""
        return [(record, segment) for record in self.records for segment in record.segments]

    def segment_at(self, times: np.ndarray) -> np.ndarray:
        """Place in :attr:`segments` of each time in seconds, -1 between records and after the last."""
        starts = np.array([segment.start for _, segment in self.segments])
        ends = np.array([segment.end for _, segment in self.segments])
        found = np.searchsorted(starts, times, side='right') - 1
        return np.where((found >= 0) & (times < ends[found]), found, -1)
