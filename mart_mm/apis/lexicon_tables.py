"""A lexicon report as text, JSON and pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mart_mm.apis.lexicon_report import NO_CLASS, LexiconReport
from mart_mm.visualization.heat_map import draw_heat_map
from mart_mm.visualization.style import save_figure

_MOST = 20
_LISTED = 10


def to_json(report: LexiconReport) -> dict:
    """Everything; of words and concepts the most frequent ones."""
    return dict(
        split=report.split,
        videos=report.videos,
        sources=dict(report.sources),
        without_transcript=report.without_transcript,
        unreadable=report.unreadable,
        minutes=report.seconds / 60,
        segments=report.segments,
        videos_with_cue=report.videos_with_cue,
        segments_with_cue=report.segments_with_cue,
        words=report.words,
        words_in_concepts=report.words_in_concepts,
        cues=report.cues,
        distinct_concepts=len(report.concepts),
        cues_left_out=report.cues_left_out,
        polarity={str(sign): report.polarity[sign] for sign in (-1, 0, 1)},
        shares=report.shares(),
        classes_by_label=dict(
            columns=[*report.classes, NO_CLASS],
            rows=dict(zip(report.classes, report.class_counts.tolist(), strict=True)),
        ),
        moods_by_label={label: dict(moods) for label, moods in report.mood_counts.items()},
        concepts=_most(report.concepts),
        unknown_words=_most(report.unknown),
    )


def _most(counts: Counter) -> dict[str, int]:
    """The most frequent ones; ties in alphabetic order."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST])


def to_text(report: LexiconReport) -> str:
    """Readable blocks."""
    shares = report.shares()
    sources = ', '.join(f'{name} {count}' for name, count in sorted(report.sources.items()))
    lines = [
        f'{report.split}: {report.videos} videos, {report.seconds / 60:.1f} min, '
        f'{report.segments} segments',
        f'  transcript      {_percent(shares["videos_with_transcript"])} of videos ({sources or "none"})',
        f'  at least a cue  {_percent(shares["videos_with_cue"])} of videos, '
        f'{_percent(shares["segments_with_cue"])} of segments',
        f'  words           {report.words}, {_percent(shares["words_in_concepts"])} part of a concept',
        f'  concepts        {report.cues} ({len(report.concepts)} distinct), '
        f'{_number(shares["concepts_per_minute"])} a minute, '
        f'{_percent(shares["several_words"])} of several words',
        f'  polarity        {_percent(shares["negative"])} negative, {_percent(shares["neutral"])} '
        f'neutral, {_percent(shares["positive"])} positive',
        f"  of the label's own class  {_percent(shares['of_own_class'])} of cues with a class "
        f'({_percent(shares["of_own_class_by_chance"])} by chance)',
    ]
    if report.cues_left_out:
        lines.append(
            f'  {report.cues_left_out} cues are behind max_cues: the model does not see them'
        )
    columns = [*report.classes, NO_CLASS]
    lines += ['', *_table('label \\ cue', report.classes, columns, report.class_counts.tolist())]
    moods, counts = moods_by_label(report)
    if moods:
        lines += ['', *_table('label \\ mood', report.classes, moods, counts)]
    for name, found in (('concepts', report.concepts), ('unknown words', report.unknown)):
        words = ', '.join(f'{word} {count}' for word, count in _most(found).items())
        lines += ['', f'most frequent {name}: {words or "none"}']
    lines += _listing('without transcript', report.without_transcript)
    lines += _listing('length not known', [f'{k}: {v}' for k, v in report.unreadable.items()])
    return '\n'.join(lines)


def moods_by_label(report: LexiconReport) -> tuple[list[str], list[list[int]]]:
    """Moods that occur, the most frequent first and none last, and counts by label and mood."""
    total = sum(report.mood_counts.values(), Counter())
    moods = sorted(total, key=lambda mood: (mood == NO_CLASS, -total[mood], mood))
    return moods, [[report.mood_counts[label][mood] for mood in moods] for label in report.classes]


def draw(report: LexiconReport, out: str | Path) -> list[Path]:
    """Draw the heat maps of classes and of moods by label.

    Returns:
        The files.
    """
    title = f'{report.split}: {report.cues} cues of {report.videos} videos'
    columns = [*report.classes, NO_CLASS]
    maps = {'classes': (report.class_counts, columns, 'class of the cue')}
    moods, counts = moods_by_label(report)
    if moods:
        maps['moods'] = (counts, moods, 'primary mood of the cue')
    return [
        save_figure(
            draw_heat_map(matrix, report.classes, names, title, 'label of the video', what),
            Path(out) / f'lexicon_{report.split}_{key}.png',
        )
        for key, (matrix, names, what) in maps.items()
    ]


def _percent(share: float | None) -> str:
    return '-' if share is None else f'{share:.1%}'


def _number(value: float | None) -> str:
    return '-' if value is None else f'{value:.1f}'


def _table(
    corner: str, rows: Sequence[str], columns: Sequence[str], counts: Sequence[Sequence[int]]
) -> list[str]:
    first = max(len(name) for name in (corner, *rows))
    widths = [
        max(len(name), *(len(str(row[i])) for row in counts)) for i, name in enumerate(columns)
    ]
    lines = ['  '.join([corner.ljust(first), *map(str.rjust, columns, widths)])]
    for name, row in zip(rows, counts, strict=True):
        lines.append('  '.join([name.ljust(first), *map(str.rjust, map(str, row), widths)]))
    return lines


def _listing(name: str, items: Sequence[str]) -> list[str]:
    if not items:
        return []
    more = [f'  ... and {len(items) - _LISTED} more'] if len(items) > _LISTED else []
    return ['', f'{name} ({len(items)}):', *(f'  {item}' for item in items[:_LISTED]), *more]
