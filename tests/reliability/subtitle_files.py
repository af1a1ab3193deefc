"""Subtitle files written with plain string operations, and a deadline for what could hang."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

Cue = tuple[float, float, str]  # seconds, seconds, text


def clock(seconds: float, mark: str, digits: int = 3) -> str:
    """Hours, minutes and seconds, with a sign in front where negative."""
    total = round(abs(seconds) * 1000)
    part = f'{total % 1000:03}'[:digits]
    whole = f'{total // 3600000:02}:{total // 60000 % 60:02}:{total // 1000 % 60:02}'
    return f'{"-" if seconds < 0 else ""}{whole}{mark}{part}'


def srt(cues: Sequence[Cue]) -> str:
    return '\n'.join(
        f'{n}\n{clock(start, ",")} --> {clock(end, ",")}\n{text}\n'
        for n, (start, end, text) in enumerate(cues, 1)
    )


def vtt(cues: Sequence[Cue]) -> str:
    blocks = [f'{clock(start, ".")} --> {clock(end, ".")}\n{text}\n' for start, end, text in cues]
    return '\n'.join(['WEBVTT\n', *blocks])


def ass(cues: Sequence[Cue]) -> str:
    head = (
        '[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name\nStyle: Default\n\n[Events]\n'
        'Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n'
    )
    rows = [
        f'Dialogue: 0,{clock(start, ".", 2)},{clock(end, ".", 2)},Default,,0,0,0,,'
        + text.replace('\n', '\\N')
        for start, end, text in cues
    ]
    return head + '\n'.join(rows) + '\n'


FORMATS: dict[str, Callable[[Sequence[Cue]], str]] = {'.srt': srt, '.vtt': vtt, '.ass': ass}


@contextmanager
def deadline(seconds: int = 60) -> Iterator[None]:
    """What is not done by then hangs."""

    def stop(*_: object) -> None:
        raise TimeoutError(f'not done after {seconds} s')

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
