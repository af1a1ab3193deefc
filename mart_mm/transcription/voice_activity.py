"""Where a sound track is loud enough to hold speech, cut into windows of Whisper's length."""

from __future__ import annotations

import numpy as np

_FRAME = 0.03  # seconds over which loudness is measured
_FLOOR = -65.0  # dB below full scale; quieter is silence whatever the rest is like
_RANGE = 40.0  # dB below the loud parts; quieter is a pause
_PADDING = 0.3  # seconds kept before and after, for quiet first and last sounds
_SHORTEST = 0.2  # seconds; shorter is a click


def speech_windows(
    waveform: np.ndarray, sample_rate: int = 16000, max_seconds: float = 30.0
) -> list[tuple[int, int]]:
    """Parts of a sound track outside of which it is silent.

    Loudness alone decides (30 ms frames, at least -65 dB of full scale and at most 40 dB below the
    loud parts): music passes, silence and faint noise do not. Neighbouring parts share a window as
    long as it fits; a part that is longer is cut at the quietest place of the window's last third.

    Args:
        waveform: float32 (n,) in [-1, 1].
        sample_rate: Samples per second.
        max_seconds: Longest window.

    Returns:
        (start, stop) in samples, in order, without overlap.
    """
    size = max(1, round(_FRAME * sample_rate))
    count = len(waveform) // size
    if not count:
        return []
    power = np.square(waveform[: count * size].reshape(count, size)).mean(1, dtype=np.float64)
    level = 10 * np.log10(power + 1e-12)
    is_loud = level > max(_FLOOR, np.percentile(level, 95) - _RANGE)
    parts = _padded_runs(is_loud, round(_SHORTEST / _FRAME), round(_PADDING / _FRAME))
    longest = int(max_seconds / _FRAME)
    windows: list[tuple[int, int]] = []
    for start, stop in parts:
        while stop - start > longest:
            third = start + 2 * longest // 3
            cut = third + int(level[third : start + longest].argmin())
            windows.append((start, cut))
            start = cut
        if windows and stop - windows[-1][0] <= longest:
            windows[-1] = (windows[-1][0], stop)
        else:
            windows.append((start, stop))
    return [(start * size, stop * size) for start, stop in windows]


def _padded_runs(is_loud: np.ndarray, shortest: int, padding: int) -> list[tuple[int, int]]:
    """Runs (start, stop) of True of some length, widened, those that touch joined."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_loud, [False]]).astype(np.int8)))
    runs: list[tuple[int, int]] = []
    for start, stop in edges.reshape(-1, 2).tolist():
        if stop - start < shortest:
            continue
        start, stop = max(0, start - padding), min(len(is_loud), stop + padding)
        if runs and start <= runs[-1][1]:
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((start, stop))
    return runs
