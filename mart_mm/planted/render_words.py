"""Subtitles: sentences with cues, and the .srt file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mart_mm.lexicon.base import Lexicon
from mart_mm.lexicon.transcript import TranscriptLine, word_times
from mart_mm.planted.class_set import ClassSet
from mart_mm.planted.word_bank import CLOSERS, LINKS, NAMES, OPENERS, Word, holds_only

SECOND_TRUE_WORD = 0.4  # probability
OTHER_POLARITY = 0.75  # share of misleading words whose polarity is not the video's
MISLEADING_FROM, ECHO_FROM = 0.6, 0.85  # degrees
NEAREST = 5  # words among which one near the planted degree is drawn
WORDS_PER_LINE = (5, 10)
_ATTEMPTS = 500


class Cue(NamedTuple):
    """A word of a subtitle that the lexicon knows.

    Attributes:
        word: As written.
        concept: As the lexicon has it.
        start: Seconds, times of a line being spread evenly over its characters.
        end: Seconds.
        kind: ``true`` (right emotion, where it is planted), ``misleading`` (another emotion) or
            ``echo`` (right emotion, where it is not planted).
        emotion: Class that the lexicon gives it.
        degree: The lexicon's degree of that class.
    """

    word: str
    concept: str
    start: float
    end: float
    kind: str
    emotion: int
    degree: float


class Line(NamedTuple):
    """A subtitle.

    Attributes:
        start: Seconds, whole milliseconds.
        end: Seconds, whole milliseconds.
        text: A sentence.
        cues: Its words of the lexicon, in order.
    """

    start: float
    end: float
    text: str
    cues: tuple[Cue, ...]


def choose_words(
    emotion: int,
    degree: float,
    rates: tuple[float, float],
    classes: ClassSet,
    bank: list[list[Word]],
    rng: np.random.Generator,
) -> list[tuple[Word, str]]:
    """Words of a segment and their kinds.

    A class without words of its own gets misleading ones only.

    Args:
        emotion: Of the record.
        degree: Of the segment, 0 where nothing is planted.
        rates: Probability of a misleading word where something is planted, of an echo where not.
        classes: Of the data set.
        bank: Words of each class.
        rng: Source of randomness.
    """
    own = bank[emotion]
    chosen = []
    if own and degree > 0:
        for _ in range(1 + int(rng.random() < SECOND_TRUE_WORD)):
            others = [word for word in own if all(word != taken for taken, _ in chosen)]
            near = sorted(others, key=lambda word: abs(word.degree - degree))[:NEAREST]
            chosen.append((near[rng.integers(len(near))], 'true'))
    elif own and rng.random() < rates[1]:
        strong = [word for word in own if word.degree >= ECHO_FROM]
        chosen.append((strong[rng.integers(len(strong))], 'echo'))
    if not own or degree <= 0 or rng.random() < rates[0]:
        chosen.append((_misleading(emotion, classes, bank, rng), 'misleading'))
    return chosen


def _misleading(
    emotion: int, classes: ClassSet, bank: list[list[Word]], rng: np.random.Generator
) -> Word:
    # classes that no word names are verified by polarity alone: a positive word of joy would be
    # right there, hence no word of the same polarity misleads
    polarity = classes.polarity
    named = [index for index in range(len(bank)) if classes.is_named(index) and bank[index]]
    other = [index for index in named if polarity[index] != polarity[emotion]]
    same = [index for index in named if polarity[index] == polarity[emotion] and index != emotion]
    can_share = bool(same) and classes.stand_in(emotion) is None
    group = same if can_share and rng.random() >= OTHER_POLARITY else other
    words = [
        word for word in bank[group[rng.integers(len(group))]] if word.degree >= MISLEADING_FROM
    ]
    return words[rng.integers(len(words))]


def write_line(
    emotion: int,
    degree: float,
    span: tuple[float, float],
    rates: tuple[float, float],
    classes: ClassSet,
    bank: list[list[Word]],
    lexicon: Lexicon,
    rng: np.random.Generator,
) -> Line:
    """Write the subtitle of a segment.

    Args:
        emotion: Of the record.
        degree: Of the segment.
        span: Start and end of the segment in seconds.
        rates: See :func:`choose_words`.
        classes: Of the data set.
        bank: Words of each class.
        lexicon: To keep accidental concepts out.
        rng: Source of randomness.

    Raises:
        RuntimeError: When no sentence is free of accidental concepts.
    """
    for _ in range(_ATTEMPTS):
        chosen = choose_words(emotion, degree, rates, classes, bank, rng)
        rng.shuffle(chosen)
        concepts = [word.concept for word, _ in chosen]
        text = sentence(concepts, rng)
        low, high = WORDS_PER_LINE
        if low <= len(text.split()) <= high and holds_only(text, concepts, lexicon):
            break
    else:
        raise RuntimeError(
            f'no sentence about {classes.names[emotion]!r} without accidental concepts in {_ATTEMPTS} '
            'attempts: the fillers in word_bank.py clash with the lexicon'
        )
    seconds = span[1] - span[0]
    start = round(span[0] + seconds * rng.uniform(0.03, 0.15), 3)
    end = round(span[1] - seconds * rng.uniform(0.03, 0.15), 3)
    return Line(start, end, text, timed(chosen, TranscriptLine(start, end, text)))


def sentence(concepts: Sequence[str], rng: np.random.Generator) -> str:
    """A sentence that holds the concepts in this order.

    Args:
        concepts: At least one.
        rng: Source of randomness.
    """

    def pick(parts: Sequence[str]) -> str:
        return parts[rng.integers(len(parts))].format(name=NAMES[rng.integers(len(NAMES))])

    words = f'{pick(OPENERS)} {concepts[0]}'
    for concept in concepts[1:]:
        words += f' {pick(LINKS)} {concept}'
    words += f' {pick(CLOSERS)}.'
    return words[0].upper() + words[1:]


def timed(chosen: Sequence[tuple[Word, str]], line: TranscriptLine) -> tuple[Cue, ...]:
    """Words of a line with their times.

    Args:
        chosen: Words and their kinds, each once in the line.
        line: The line.
    """
    times = word_times(line)
    plain = [word.text.strip('.').lower() for word in times]
    cues = []
    for word, kind in chosen:
        parts = word.concept.split()
        first = next(i for i in range(len(plain)) if plain[i : i + len(parts)] == parts)
        last = first + len(parts) - 1
        written = ' '.join(piece.text for piece in times[first : last + 1]).strip('.')
        begin, stop = round(times[first].start, 6), round(times[last].end, 6)
        cues.append(Cue(written, word.concept, begin, stop, kind, word.emotion, word.degree))
    return tuple(cues)


def write_srt(path: Path, lines: Sequence[Line]) -> None:
    """Write a SubRip file.

    Args:
        path: The file.
        lines: Subtitles in the order of time.
    """
    blocks = [
        f'{number}\n{_stamp(line.start)} --> {_stamp(line.end)}\n{line.text}\n'
        for number, line in enumerate(lines, start=1)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(blocks), encoding='utf-8', newline='\n')


def _stamp(seconds: float) -> str:
    total = round(seconds * 1000)
    minutes, milliseconds = divmod(total, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f'{hours:02d}:{minutes:02d}:{milliseconds // 1000:02d},{milliseconds % 1000:03d}'
