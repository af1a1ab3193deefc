"""What emotion-oriented masking picks, as a report holds it."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from mart_mm.structures.affective_data_sample import AffectiveDataSample
from mart_mm.structures.emotion_report import MaskReport

_MOST = 9  # the highest digit


def mask_report(samples: Sequence[AffectiveDataSample]) -> MaskReport | None:
    """The masks of a video's windows, as digits; None where they were not predicted.

    Args:
        samples: Of the windows, in the order of time.
    """
    if not all('masks' in sample for sample in samples):
        return None
    return MaskReport(
        visual=_stream(samples, 'visual'),
        audio=_stream(samples, 'audio'),
        with_words=[bool(flag) for sample in samples for flag in sample.masks['with_words']],
    )


def _stream(samples: Sequence[AffectiveDataSample], name: str) -> list[list[str]] | None:
    segments = []
    for sample in samples:
        picked = sample.masks.get(name)
        if picked is None:
            segments += [[] for _ in sample.masks['with_words']]
        else:
            segments += [_rows(tokens) for tokens in picked]
    return segments if any(segments) else None


def _rows(picked: Tensor) -> list[str]:
    """Digits of a segment's tokens, bool (t, h, w), or (frequency, time)."""
    shares = picked.float().mean(0) if picked.dim() == 3 else picked.float()
    return [''.join(map(str, row)) for row in (_MOST * shares).round().int().tolist()]
