"""A turn of a dialogue: several segments' sentences in one line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mart_mm.lexicon.base import Lexicon
from mart_mm.lexicon.transcript import TranscriptLine
from mart_mm.planted.class_set import ClassSet
from mart_mm.planted.plans import RecordPlan, Segment
from mart_mm.planted.render_words import Cue, Line, choose_words, sentence, timed
from mart_mm.planted.word_bank import Word, holds_only

_CHARACTERS = 46  # of a segment's sentence and the space behind it, about
_SENTENCES, _ATTEMPTS = 60, 200


def write_turn(
    record: RecordPlan,
    rates: tuple[float, float],
    classes: ClassSet,
    bank: list[list[Word]],
    lexicon: Lexicon,
    rng: np.random.Generator,
) -> None:
    """Write the lines of a record whose times, put together, follow from the record's alone.

    The annotation gives the text of the whole turn, and a reader spreads it evenly over the turn's
    time. Hence sentences are about equally long, and the words of each stay in its segment.

    Args:
        record: Its segments get their lines.
        rates: See :func:`~mart_mm.planted.render_words.choose_words`.
        classes: Of the data set.
        bank: Words of each class.
        lexicon: To keep accidental concepts out.
        rng: Source of randomness.

    Raises:
        RuntimeError: When no text keeps its words in their segments.
    """
    for _ in range(_ATTEMPTS):
        chosen, texts = _draw(record, rates, classes, bank, lexicon, rng)
        whole = ' '.join(texts)
        words = [pair for part in chosen for pair in part]
        if not holds_only(whole, [word.concept for word, _ in words], lexicon):
            continue
        cues = iter(timed(words, TranscriptLine(record.start, record.end, whole)))
        parts = [tuple(next(cues) for _ in part) for part in chosen]
        if all(map(_is_inside, parts, record.segments)):
            _set_lines(record, texts, parts)
            return
    raise RuntimeError(
        f'no turn about {classes.names[record.emotion]!r} keeps its words in their segments in '
        f'{_ATTEMPTS} attempts: mend the fillers in word_bank.py'
    )


def _draw(
    record: RecordPlan,
    rates: tuple[float, float],
    classes: ClassSet,
    bank: list[list[Word]],
    lexicon: Lexicon,
    rng: np.random.Generator,
) -> tuple[list[list[tuple[Word, str]]], list[str]]:
    """Words and sentence of each segment; no word is said twice."""
    said: set[str] = set()
    chosen, texts = [], []
    for segment in record.segments:
        free = [[word for word in words if word.concept not in said] for words in bank]
        part = choose_words(record.emotion, segment.degree, rates, classes, free, rng)
        rng.shuffle(part)
        concepts = [word.concept for word, _ in part]
        said |= set(concepts)
        chosen.append(part)
        spent = sum(len(text) + 1 for text in texts)
        room = _CHARACTERS * (len(texts) + 1) - spent - 1
        texts.append(_sentence_of(room, concepts, lexicon, rng))
    return chosen, texts


def _sentence_of(
    length: int, concepts: Sequence[str], lexicon: Lexicon, rng: np.random.Generator
) -> str:
    """The sentence nearest to a length among some, with no other concept in it."""
    drawn = [sentence(concepts, rng) for _ in range(_SENTENCES)]
    drawn.sort(key=lambda text: abs(len(text) - length))
    return next((text for text in drawn if holds_only(text, concepts, lexicon)), drawn[0])


def _is_inside(cues: Sequence[Cue], segment: Segment) -> bool:
    return all(segment.start <= cue.start < cue.end <= segment.end for cue in cues)


def _set_lines(record: RecordPlan, texts: Sequence[str], cues: Sequence[tuple[Cue, ...]]) -> None:
    """Each segment's share of the turn, from the beginning of its sentence to the next one's."""
    seconds = (record.end - record.start) / len(' '.join(texts))
    place = 0
    for segment, text, part in zip(record.segments, texts, cues, strict=True):
        start = record.start + place * seconds
        place += len(text)
        segment.line = Line(start, record.start + place * seconds, text, part)
        place += 1
