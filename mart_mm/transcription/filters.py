"""Which segments of a speech recogniser are invented: silence put into words, and loops."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from mart_mm.transcription.segments import SpeechSegment

#: in the order in which they are tried
REASONS = ('empty', 'no_speech', 'compression', 'repeated_phrase', 'repeated_line')


class Dropped(NamedTuple):
    """A segment that was set aside, and which of ``REASONS`` says why."""

    segment: SpeechSegment
    reason: str


@dataclass(frozen=True)
class SegmentFilter:
    """Sets segments aside that are most likely invented.

    =================== ==========================================================================
    ``empty``           no letter or digit, or no length
    ``no_speech``       the model says that nobody speaks, and is unsure of its words
    ``compression``     the window's text compresses too well: it repeats itself
    ``repeated_phrase`` the same words again and again inside the segment
    ``repeated_line``   the same segment again and again; all of them go
    =================== ==========================================================================

    The first three thresholds are Whisper's own (Radford et al., 2023, section 4.5).

    Args:
        no_speech_threshold: ``no_speech`` needs a ``no_speech_prob`` above it ...
        logprob_threshold: ... and an ``avg_logprob`` below it.
        compression_threshold: Largest ``compression_ratio`` that stays.
        line_repeats: Equal segments in a row that make a loop; case and punctuation do not count.
        phrase_repeats: Equal phrases in a row inside a segment that make a loop ...
        phrase_words: ... if they are at least that many words together, so that "no, no, no!" stays.

    Raises:
        ValueError: When a number of repeats is below 2.
    """

    no_speech_threshold: float = 0.6
    logprob_threshold: float = -1.0
    compression_threshold: float = 2.4
    line_repeats: int = 3
    phrase_repeats: int = 3
    phrase_words: int = 6

    def __post_init__(self) -> None:
        if min(self.line_repeats, self.phrase_repeats) < 2:
            raise ValueError(
                f'line_repeats={self.line_repeats}, phrase_repeats={self.phrase_repeats}: '
                'what is said once is no loop; give at least 2'
            )

    def split(self, segments: Sequence[SpeechSegment]) -> tuple[list[SpeechSegment], list[Dropped]]:
        """Segments that stay and segments that go, both in order."""
        kept: list[SpeechSegment] = []
        dropped: list[Dropped] = []
        for _, run in groupby(segments, key=lambda segment: normalise(segment.text)):
            same = list(run)
            for segment in same:
                reason = self._reason(segment)
                if reason is None and len(same) >= self.line_repeats:
                    reason = 'repeated_line'
                if reason is None:
                    kept.append(segment)
                else:
                    dropped.append(Dropped(segment, reason))
        return kept, dropped

    def _reason(self, segment: SpeechSegment) -> str | None:
        words = normalise(segment.text)
        if not words or segment.end <= segment.start:
            return 'empty'
        is_unsure = segment.avg_logprob < self.logprob_threshold
        if is_unsure and segment.no_speech_prob > self.no_speech_threshold:
            return 'no_speech'
        if segment.compression_ratio > self.compression_threshold:
            return 'compression'
        if self._has_phrase_loop(words):
            return 'repeated_phrase'
        return None

    def _has_phrase_loop(self, words: Sequence[str]) -> bool:
        for length in range(1, len(words) // self.phrase_repeats + 1):
            # words that equal the one a phrase earlier; n phrases in a row are n - 1 times as many
            needed = max(length * self.phrase_repeats, self.phrase_words) - length
            run = 0
            for word, earlier in zip(words[length:], words, strict=False):
                run = run + 1 if word == earlier else 0
                if run >= needed:
                    return True
        return False


def normalise(text: str) -> tuple[str, ...]:
    """Words in small letters without punctuation, for comparing lines."""
    return tuple(re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.casefold()))
