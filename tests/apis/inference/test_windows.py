"""Windows, and what is left out of them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mart_mm.apis.inference.windows import Window, Words, batched, cut, readable
from mart_mm.errors import MediaError
from mart_mm.lexicon.transcript import TimedWord, TranscriptLine


@pytest.mark.parametrize(
    ('duration', 'count'), [(0.2, 1), (6, 1), (8.9, 1), (9.1, 2), (12, 2), (1800, 300)]
)
def test_windows_cover_the_video(duration: float, count: int) -> None:
    windows = cut(duration, 6.0)
    assert len(windows) == count
    assert windows[0].start == 0 and windows[-1].end == duration
    assert all(a.end == b.start for a, b in zip(windows, windows[1:], strict=False))
    lengths = {round(window.end - window.start, 6) for window in windows}
    assert len(lengths) == 1 and (count == 1 or 4 <= lengths.pop() <= 9)


def test_lines_of_a_window() -> None:
    spoken = TranscriptLine(2, 3, 'late word', (TimedWord('late', 2, 7.5, (0, 4)),))
    lines = [TranscriptLine(0, 6, 'a'), TranscriptLine(5, 7, 'b'), spoken]
    words = Words(lines, 'given', [])
    assert [line.text for line in words.within(Window(6, 12))] == ['b', 'late word']
    assert [line.text for line in words.within(Window(0, 1))] == ['a']


def _run(broken: set[float]) -> tuple[list[float], list[str], int]:
    reopened: list[int] = []

    def pipeline(opened: object, window: Window, words: Words, record: dict) -> dict:
        assert record == dict(video_id='v', start=window.start, end=window.end)
        if window.start in broken:
            raise MediaError('v.mp4', 'damaged')
        return dict(start=window.start)

    opened = SimpleNamespace(reopen_frames=lambda: reopened.append(1))
    warnings: list[str] = []
    parts = readable(
        pipeline, opened, cut(18, 6), Words([], None, []), dict(video_id='v'), warnings
    )
    return [window.start for window, _ in parts], warnings, len(reopened)


def test_a_damaged_window_is_left_out_and_said() -> None:
    read, warnings, reopened = _run({6.0})
    assert read == [0.0, 12.0] and reopened == 1
    assert warnings == ['6.0 to 12.0 s left out: damaged']


def test_a_video_of_which_nothing_can_be_read() -> None:
    with pytest.raises(MediaError, match='damaged'):
        _run({0.0, 6.0, 12.0})


def test_batches() -> None:
    assert list(batched(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(batched([], 2)) == []
