"""What a layout decides: classes, how records share files, names and annotations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from mart_mm.lexicon.base import Lexicon
from mart_mm.planted.class_set import ClassSet
from mart_mm.planted.options import Options
from mart_mm.planted.plans import FilePlan, RecordPlan
from mart_mm.planted.render_words import write_line
from mart_mm.planted.word_bank import Word


class Layout(ABC):
    """Files as one data set keeps them; a subclass says what is its own.

    Args:
        options: Of the data set.

    Attributes:
        classes: Of the data set's reader.
        records_per_file: Files take turns.
        columns: Pictures side by side; records take turns.
    """

    classes: ClassVar[ClassSet]
    records_per_file: ClassVar[tuple[int, ...]] = (1,)
    columns: ClassVar[int] = 1

    def __init__(self, options: Options) -> None:
        self.options = options

    def pause(self, rng: np.random.Generator) -> float:
        """Seconds before a record in which nothing is planted."""
        return 0.0

    def tail(self, indices: range) -> float:
        """Seconds after the last record in which nothing is planted.

        Args:
            indices: Places of the file's records in the split.
        """
        return 0.0

    def planted_segments(self, count: int, rng: np.random.Generator) -> set[int]:
        """Between a third and two thirds of the segments, at least one."""
        low, high = max(1, count // 3), max(1, 2 * count // 3)
        chosen = rng.choice(count, size=rng.integers(low, high + 1), replace=False)
        return set(chosen.tolist())

    def write_words(
        self,
        record: RecordPlan,
        bank: list[list[Word]],
        lexicon: Lexicon,
        rng: np.random.Generator,
    ) -> None:
        """Write the line of each segment."""
        rates = (self.options.misleading, self.options.echo)
        for segment in record.segments:
            segment.line = write_line(
                record.emotion,
                segment.degree,
                (segment.start, segment.end),
                rates,
                self.classes,
                bank,
                lexicon,
                rng,
            )

    @abstractmethod
    def name(self, split: str, files: Sequence[FilePlan]) -> None:
        """Set the paths of a split's files and the names of their records."""

    @abstractmethod
    def write_annotations(self, out: Path, files: Sequence[FilePlan]) -> None:
        """Write labels, after the media files.

        Args:
            out: Folder of the data set.
            files: Of all splits.
        """


def write_lines(path: Path, lines: Sequence[str], has_final_newline: bool = True) -> None:
    """Write a text file, in UTF-8, lines ended as on Unix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = '\n'.join(lines) + ('\n' if has_final_newline and lines else '')
    path.write_text(text, encoding='utf-8', newline='\n')
