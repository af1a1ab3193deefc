"""The emotion of each segment as subtitles."""

from __future__ import annotations

from pathlib import Path

import pysubs2

from mart_mm.structures.emotion_report import LEVELS, EmotionReport
from mart_mm.utils.atomic import write_text

#: signs that players take for markup -> signs that look alike
_PLAIN = str.maketrans({'<': '‹', '>': '›', '{': '(', '}': ')', '\\': '/'})
_VERIFIED = len(LEVELS) - 1


def write_subtitles(
    report: EmotionReport, path: str | Path, media_path: str | Path | None = None
) -> list[Path]:
    """Write SubRip: per segment its emotion with the probability, and the verified words below.

    Signs of markup in words and classes are replaced by signs that look alike.

    Args:
        report: Of one video.
        path: Ending in ``.srt``.
        media_path: Not needed.
    """
    words: dict[int, list[str]] = {}
    for word in report.words:
        if word.level == _VERIFIED:
            words.setdefault(word.segment, []).append(word.word)
    subtitles = pysubs2.SSAFile()
    for index, part in enumerate(report.segments):
        share = part.distribution[report.classes.index(part.emotion)]
        lines = [f'{part.emotion} {share:.0%}']
        if index in words:
            lines.append(f'verified: {", ".join(words[index])}')
        event = pysubs2.SSAEvent(round(part.start * 1000), round(part.end * 1000))
        event.text = r'\N'.join(' '.join(line.split()).translate(_PLAIN) for line in lines)
        subtitles.append(event)
    path = Path(path)
    write_text(path, subtitles.to_string('srt', keep_ssa_tags=True))
    return [path]
