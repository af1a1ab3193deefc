from __future__ import annotations

from collections import Counter

import pytest

from mart_mm.transcription.filters import SegmentFilter
from mart_mm.transcription.segments import SpeechSegment, compression_ratio


def say(*texts: str, **numbers: float) -> list[SpeechSegment]:
    values = dict(no_speech_prob=0.1, avg_logprob=-0.3, compression_ratio=1.2) | numbers
    return [
        SpeechSegment(float(place), place + 0.9, text, **values) for place, text in enumerate(texts)
    ]


def reasons(segments: list[SpeechSegment], **options: float) -> list[str | None]:
    """What became of each segment, in order."""
    kept, dropped = SegmentFilter(**options).split(segments)
    told = {id(segment): None for segment in kept}
    told |= {id(item.segment): item.reason for item in dropped}
    assert len(told) == len(segments) == len(kept) + len(dropped)
    return [told[id(segment)] for segment in segments]


@pytest.mark.parametrize(
    ('no_speech', 'logprob', 'goes'),
    [
        (0.61, -1.01, True),
        (0.6, -1.01, False),
        (0.61, -1.0, False),
        (0.1, -3, False),
        (0.99, -0.2, False),
    ],
)
def test_silence_needs_both_thresholds(no_speech: float, logprob: float, goes: bool) -> None:
    segments = say('Thank you.', no_speech_prob=no_speech, avg_logprob=logprob)
    assert reasons(segments) == ['no_speech' if goes else None]


def test_thresholds_are_options() -> None:
    segments = say('Thank you.', no_speech_prob=0.5, avg_logprob=-0.8, compression_ratio=2.0)
    assert reasons(segments) == [None]
    assert reasons(segments, no_speech_threshold=0.4, logprob_threshold=-0.7) == ['no_speech']
    assert reasons(segments, compression_threshold=1.9) == ['compression']


def test_loops_over_lines() -> None:
    texts = ['Hi.', 'Thank you.', ' thank you', 'THANK YOU!', 'Bye.', 'Bye.', 'Yes.', 'Bye.']
    expected = [None, *['repeated_line'] * 3, None, None, None, None]
    assert reasons(say(*texts)) == expected
    assert reasons(say(*texts), line_repeats=2)[4:] == ['repeated_line'] * 2 + [None] * 2


@pytest.mark.parametrize(
    ('text', 'goes'),
    [
        ('I love you, I love you. I love you', True),
        ('so then I love you I love you I love you okay', True),
        ('I love you, I love you', False),
        ('No, no, no!', False),
        ('no no no no no', False),
        ('no no no no no no', True),
        ('thank you thank you thank you', True),
        ('one two one two one three', False),
        ('She said that he said that they said that we left', False),
        ('', False),
    ],
)
def test_loops_inside_a_line(text: str, goes: bool) -> None:
    assert reasons(say(text)) == ['repeated_phrase' if goes else None if text else 'empty']


def test_compression_ratio_is_whispers() -> None:
    loop = 'Subscribe to my channel. ' * 12
    assert compression_ratio(loop) > 2.4 > compression_ratio('Ask not what your country can do.')
    assert compression_ratio('') == 0
    assert reasons(say('a b', compression_ratio=2.41)) == ['compression']
    assert reasons(say('a b', compression_ratio=2.4)) == [None]


def test_nothing_to_read_and_no_length() -> None:
    segments = [*say('...', '♪♪'), SpeechSegment(5.0, 5.0, 'word', 0.0, 0.0, 1.0)]
    assert reasons(segments) == ['empty'] * 3


def test_counts_by_reason() -> None:
    segments = [*say('ok', '-'), *say('a', no_speech_prob=0.9, avg_logprob=-2), *say(*'xxxx')]
    _, dropped = SegmentFilter().split(segments)
    assert Counter(item.reason for item in dropped) == dict(empty=1, no_speech=1, repeated_line=4)


def test_repeats_below_two_are_no_loop() -> None:
    with pytest.raises(ValueError, match='line_repeats=1'):
        SegmentFilter(line_repeats=1)
