"""What is planted where: the truth, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mart_mm.lexicon.base import Lexicon
from tools.data.planted.render_words import Cue, Line, write_line
from tools.data.planted.word_bank import CLASSES, Word

GRID = 6  # cells along each side of the picture
REGION_SHAPES = ((3, 3), (3, 3), (2, 4), (4, 2))  # rows, columns of cells
DEGREES = (0.4, 1.0)  # of planted emotion, and strength of distractors
SPLITS = ('train', 'test')
#: streams of randomness: a change to how sound is drawn leaves words and pictures as they are
STREAMS = ('truth', 'words', 'visual', 'audio')
BLEMISHES = {
    'train': ('silent', 'no_subtitles', 'variable_frame_rate', 'truncated'),
    'test': ('silent', 'no_subtitles'),
}
BLEMISHES_FROM = {'train': 12, 'test': 6}  # videos a split needs to have any

Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in fractions of the picture


@dataclass(frozen=True)
class Options:
    """How many videos, how large, how hard.

    Attributes:
        train: Training videos.
        test: Test videos.
        segments: Segments per video.
        segment_seconds: Seconds of a segment.
        size: Pixels of the square picture's side, a multiple of 6.
        fps: Frames per second.
        difficulty: 0 to 1: nuisance against signal in picture and sound.
        misleading: Probability that a planted segment's line has a word of another emotion too.
        echo: Probability that another segment's line has a strong word of the video's emotion.
        blemishes: Whether some files are silent, without subtitles, of variable rate or cut off.
        seed: Of everything.

    Raises:
        ValueError: For a value out of range.
    """

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
        for name in ('train', 'test'):
            if getattr(self, name) < 0:
                raise ValueError(f'{name}={getattr(self, name)}: a number of videos is 0 or more')
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
        """Seconds of a video."""
        return self.segments * self.segment_seconds


@dataclass
class Segment:
    """A part of a video.

    Attributes:
        start: Seconds.
        end: Seconds.
        degree: Of the video's emotion, 0 where it is not planted.
        patch: Where the class's texture is, None where it is not planted.
        distractors: Where textures of no class are.
        strengths: Of the distractors.
        sound: (start, end) of the class's sound in seconds, or None.
        line: The subtitle, or None.
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
class VideoPlan:
    """A video and its truth.

    Attributes:
        name: Class and number, ``anger/1000``.
        split: ``train`` or ``test``.
        index: Place in the split, which seeds the video.
        emotion: Index of the class.
        blemish: What is wrong with its files, or None.
        segments: In the order of time.
    """

    name: str
    split: str
    index: int
    emotion: int
    blemish: str | None
    segments: list[Segment]

    @property
    def cues(self) -> list[tuple[int, Cue]]:
        """Words of the subtitles and the segments they are in."""
        return [
            (number, cue)
            for number, segment in enumerate(self.segments)
            if segment.line is not None
            for cue in segment.line.cues
        ]


def generator(options: Options, split: str, index: int, stream: str) -> np.random.Generator:
    """The source of randomness of one video and one stream, whatever process draws it."""
    return np.random.default_rng((options.seed, SPLITS.index(split), index, STREAMS.index(stream)))


def plan_video(
    options: Options,
    split: str,
    index: int,
    blemish: str | None,
    bank: dict[str, list[Word]],
    lexicon: Lexicon,
) -> VideoPlan:
    """Draw the truth of a video.

    Args:
        options: Of the data set.
        split: ``train`` or ``test``.
        index: Place in the split; classes take turns.
        blemish: See :data:`BLEMISHES`.
        bank: Words of each class.
        lexicon: To keep accidental concepts out of the subtitles.
    """
    emotion = index % len(CLASSES)
    # even numbers train and odd ones test, as in the public split
    number = 1000 + 2 * (index // len(CLASSES)) + SPLITS.index(split)
    rng = generator(options, split, index, 'truth')
    seconds = options.segment_seconds
    segments = [Segment(k * seconds, (k + 1) * seconds) for k in range(options.segments)]
    planted = _planted_segments(len(segments), rng)
    for k, segment in enumerate(segments):
        is_planted = k in planted
        if is_planted:
            segment.degree = float(rng.uniform(*DEGREES))
            segment.sound = None if blemish == 'silent' else _stretch(segment, rng)
        # two regions at least in every segment, so that their number does not tell planted from not
        regions = _regions(2 + int(is_planted and rng.random() < 0.5), rng)
        if is_planted:
            segment.patch = regions.pop()
        segment.distractors = regions
        segment.strengths = [float(rng.uniform(*DEGREES)) for _ in regions]
    if blemish != 'no_subtitles':
        words = generator(options, split, index, 'words')
        for segment in segments:
            span = (segment.start, segment.end)
            rates = (options.misleading, options.echo)
            segment.line = write_line(emotion, segment.degree, span, rates, bank, lexicon, words)
    return VideoPlan(f'{CLASSES[emotion]}/{number}', split, index, emotion, blemish, segments)


def plan(options: Options, bank: dict[str, list[Word]], lexicon: Lexicon) -> list[VideoPlan]:
    """Draw the truth of all videos.

    Args:
        options: Of the data set.
        bank: Words of each class.
        lexicon: To keep accidental concepts out of the subtitles.
    """
    plans = []
    for split in SPLITS:
        count = getattr(options, split)
        blemishes = _blemished(options, split, count)
        plans += [
            plan_video(options, split, index, blemishes.get(index), bank, lexicon)
            for index in range(count)
        ]
    return plans


def _planted_segments(count: int, rng: np.random.Generator) -> set[int]:
    """Between a third and two thirds of the segments, at least one."""
    low, high = max(1, count // 3), max(1, 2 * count // 3)
    chosen = rng.choice(count, size=rng.integers(low, high + 1), replace=False)
    return set(chosen.tolist())


def _stretch(segment: Segment, rng: np.random.Generator) -> tuple[float, float]:
    """At least 60 % of the segment, so that its centre, where windows of sound lie, is inside."""
    seconds = segment.end - segment.start
    length = rng.uniform(0.6, 0.95) * seconds
    start = segment.start + rng.uniform(0, seconds - length)
    return float(start), float(start + length)


def _regions(count: int, rng: np.random.Generator) -> list[Box]:
    """Rectangles of cells that do not overlap."""
    while True:
        is_taken = np.zeros((GRID, GRID), dtype=bool)
        boxes: list[Box] = []
        for _ in range(50):
            rows, columns = REGION_SHAPES[rng.integers(len(REGION_SHAPES))]
            top, left = rng.integers(GRID - rows + 1), rng.integers(GRID - columns + 1)
            cells = is_taken[top : top + rows, left : left + columns]
            if cells.any():
                continue
            cells[:] = True
            corners = (left, top, left + columns, top + rows)
            boxes.append(tuple(float(corner) / GRID for corner in corners))
            if len(boxes) == count:
                return boxes


def _blemished(options: Options, split: str, count: int) -> dict[int, str]:
    if not options.blemishes or count < BLEMISHES_FROM[split]:
        return {}
    kinds = BLEMISHES[split]
    rng = np.random.default_rng((options.seed, SPLITS.index(split)))
    # one from each of the first rounds of classes, or a class would lose two of its few videos
    places = rng.choice(min(count, 2 * len(CLASSES)), size=len(kinds), replace=False)
    return dict(zip(places.tolist(), kinds, strict=True))
