"""What a speech recogniser says: words and segments with their probabilities."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from mart_mm.lexicon.transcript import TimedWord, TranscriptLine


@dataclass(frozen=True)
class SpeechWord:
    """A recognised word.

    Attributes:
        text: Without blanks around it.
        start: Seconds.
        end: Seconds.
        probability: Mean probability of its tokens.
    """

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True)
class SpeechSegment:
    """A recognised line.

    Attributes:
        start: Seconds.
        end: Seconds.
        text: On one line.
        no_speech_prob: Probability that nobody speaks in the window the line comes from.
        avg_logprob: Mean log probability of the window's tokens.
        compression_ratio: Bytes of the window's text over its compressed bytes; loops compress well.
        words: With times, where the model can tell them.
    """

    start: float
    end: float
    text: str
    no_speech_prob: float
    avg_logprob: float
    compression_ratio: float
    words: tuple[SpeechWord, ...] = ()

    def line(self) -> TranscriptLine:
        """The same as a line of a transcript, its words found again in its text."""
        words, position = [], 0
        for word in self.words:
            place = self.text.find(word.text, position)
            if place < 0:  # the words do not make up the text: spread times are the honest ones
                return TranscriptLine(self.start, self.end, self.text)
            position = place + len(word.text)
            words.append(TimedWord(word.text, word.start, word.end, (place, position)))
        return TranscriptLine(self.start, self.end, self.text, tuple(words))


@dataclass(frozen=True)
class Speech:
    """All that is said in a sound track.

    Attributes:
        language: ISO 639-1 code, given or detected; None where there was nothing to detect it from.
        segments: In order.
    """

    language: str | None
    segments: tuple[SpeechSegment, ...]


def compression_ratio(text: str) -> float:
    """Bytes of a text over its bytes when compressed, as Whisper measures loops; 0 for no text."""
    content = text.encode('utf-8')
    return len(content) / len(zlib.compress(content))
