"""What is planted where: the truth, before anything is drawn."""

from __future__ import annotations

import numpy as np

from mart_mm.lexicon.base import Lexicon
from mart_mm.planted.layouts.base import Layout
from mart_mm.planted.options import DEGREES, GRID, SPLITS
from mart_mm.planted.plans import Box, FilePlan, RecordPlan, Segment
from mart_mm.planted.randomness import generator
from mart_mm.planted.word_bank import Word, confirmed_words

REGION_SHAPES = ((3, 3), (3, 3), (2, 4), (4, 2))  # rows, columns of cells
#: the last of a split's is drawn on the file with the fewest records: a truncated one costs them all
BLEMISHES = {
    'train': ('silent', 'no_subtitles', 'variable_frame_rate', 'truncated'),
    'test': ('silent', 'no_subtitles'),
}
BLEMISHES_FROM = {'train': 12, 'test': 6}  # records a split needs to have any


def plan(layout: Layout, lexicon: Lexicon) -> list[FilePlan]:
    """Draw the truth of all files.

    Args:
        layout: Of the data set.
        lexicon: Decides which words serve, and keeps accidental ones out.
    """
    bank = confirmed_words(layout.classes, lexicon)
    files = []
    for split in SPLITS:
        sizes = _sizes(getattr(layout.options, split), layout.records_per_file)
        blemishes = _blemished(layout, split, sizes)
        first, of_split = 0, []
        for number, size in enumerate(sizes):
            indices = range(first, first + size)
            of_split.append(plan_file(layout, split, indices, blemishes.get(number), bank, lexicon))
            first += size
        layout.name(split, of_split)
        files += of_split
    return files


def plan_file(
    layout: Layout,
    split: str,
    indices: range,
    blemish: str | None,
    bank: list[list[Word]],
    lexicon: Lexicon,
) -> FilePlan:
    """Draw the truth of a file.

    Args:
        layout: Of the data set.
        split: ``train`` or ``test``.
        indices: Places of its records in the split; classes take turns.
        blemish: See :data:`BLEMISHES`.
        bank: Words of each class.
        lexicon: To keep accidental concepts out of what is said.
    """
    options, looks = layout.options, layout.classes.looks
    records, clock = [], 0.0
    for place, index in enumerate(indices):
        emotion = index % len(looks)
        rng = generator(options, split, index, 'truth')
        clock += layout.pause(rng)
        seconds = options.segment_seconds
        segments = [
            Segment(clock + k * seconds, clock + (k + 1) * seconds) for k in range(options.segments)
        ]
        record = RecordPlan(index, emotion, looks[emotion], segments, place % layout.columns)
        _place(record, layout, blemish == 'silent', rng)
        if blemish != 'no_subtitles':
            words = generator(options, split, index, 'words')
            layout.write_words(record, bank, lexicon, words)
        records.append(record)
        clock = record.end
    return FilePlan(split, blemish, records, clock + layout.tail(indices), layout.columns)


def _place(record: RecordPlan, layout: Layout, is_silent: bool, rng: np.random.Generator) -> None:
    """Draw degrees, regions and sound of a record's segments."""
    has_look = record.look is not None
    planted = layout.planted_segments(len(record.segments), rng) if has_look else set()
    for k, segment in enumerate(record.segments):
        is_planted = k in planted
        if is_planted:
            segment.degree = float(rng.uniform(*DEGREES))
            segment.sound = None if is_silent else _stretch(segment, rng)
        # two regions at least in every segment, so that their number does not tell planted from not
        regions = _regions(2 + int(is_planted and rng.random() < 0.5), rng)
        if is_planted:
            segment.patch = regions.pop()
        for column in range(layout.columns):
            if column != record.column:
                shift = column - record.column
                regions += [(x0 + shift, y0, x1 + shift, y1) for x0, y0, x1, y1 in _regions(2, rng)]
        segment.distractors = regions
        segment.strengths = [float(rng.uniform(*DEGREES)) for _ in regions]


def _sizes(count: int, turns: tuple[int, ...]) -> list[int]:
    """Records of each file: sizes take turns until all records have a file."""
    sizes: list[int] = []
    while (left := count - sum(sizes)) > 0:
        sizes.append(min(left, turns[len(sizes) % len(turns)]))
    return sizes


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


def _blemished(layout: Layout, split: str, sizes: list[int]) -> dict[int, str]:
    if not layout.options.blemishes or sum(sizes) < BLEMISHES_FROM[split]:
        return {}
    kinds = BLEMISHES[split]
    rng = np.random.default_rng((layout.options.seed, SPLITS.index(split)))
    # one from each of the first rounds of classes, or a class would lose two of its few videos
    among = min(len(sizes), 2 * len(layout.classes.names))
    places = rng.choice(among, size=len(kinds), replace=False).tolist()
    smallest = min(reversed(range(len(kinds))), key=lambda place: sizes[places[place]])
    places.append(places.pop(smallest))
    return dict(zip(places, kinds, strict=True))
