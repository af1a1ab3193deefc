"""PERR: clips and our table of them, checked and split."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter, defaultdict
from pathlib import Path, PurePosixPath

from mart_mm.datasets.annotation_text import read_csv
from mart_mm.datasets.perr import COLUMNS, PERR, seconds_in
from mart_mm.errors import unknown_name
from mart_mm.preparation.discovery import (
    RAW_SUFFIXES,
    VideoIndex,
    find_named,
    find_videos,
    subtitles_of,
    walk,
)
from mart_mm.preparation.plan import Medium, Plan, PreparationError

SPLITS = ('train', 'test')
_TIMES = ('start', 'end')
_SHOWN = 20  # bad lines in the error


def plan(source: Path, lists: Path | None, test_share: float, seed: int) -> Plan:
    """Clips of ``train.csv`` and ``test.csv``, or of a single CSV file.

    A single file is split by its column ``split`` (``train`` or ``test``); without that column clips
    are dealt out at random. All pairs of a clip are in one split.

    Args:
        source: The download.
        lists: Folder of the tables; None looks for them in the download.
        test_share: Of the clips, where they are dealt out.
        seed: Of the dealing; it depends on nothing else than the clips' names.

    Raises:
        PreparationError: Listing the bad lines of the tables.
    """
    if not 0 < test_share < 1:
        raise PreparationError(f'--test-share {test_share}: between 0 and 1')
    plan = Plan(folders=('annotations', 'videos'))
    tables = _tables(lists or source)
    if not tables:
        plan.lacking.append(
            f'no .csv file below {lists or source}; its first line names {",".join(COLUMNS)}'
            '[,start,end][,split]; name its folder with --lists'
        )
        return plan
    errors: list[str] = []
    rows = [row for path, split in tables.items() for row in _read(path, split, errors)]
    _check_pairs(rows, errors)
    if errors:
        more = f'\n... {len(errors)} in all' if len(errors) > _SHOWN else ''
        raise PreparationError('mend the table:\n' + '\n'.join(errors[:_SHOWN]) + more)
    if any(row['split'] is None for row in rows):
        _deal_out(rows, test_share, seed)
        plan.notes.append(
            f'no column "split": {test_share:.0%} of the clips, drawn with seed {seed}, are for testing'
        )
    for split in SPLITS:
        chosen = [row for row in rows if row['split'] == split]
        counts = Counter(row['label'] for row in chosen)
        shares = ', '.join(f'{name} {counts[name]}' for name in PERR.METAINFO['classes'])
        clips = len({row['clip'] for row in chosen})
        plan.notes.append(f'{split}: {len(chosen)} pairs in {clips} clips: {shares}')
        plan.annotations[f'annotations/{split}.csv'] = _table(chosen)
        if not chosen:
            plan.lacking.append(f'no line for {split}')
    _add_clips(plan, source, dict.fromkeys(row['clip'] for row in rows))
    return plan


def _tables(folder: Path) -> dict[Path, str | None]:
    """CSV files and the split that each is for, or None where its lines say so."""
    named = find_named(folder, [f'{split}.csv' for split in SPLITS])
    if len(named) == len(SPLITS):
        return {named[f'{split}.csv']: split for split in SPLITS}
    found = [path for path in walk(folder) if path.suffix.lower() == '.csv']
    if len(found) > 1:
        raise PreparationError(
            f'{len(found)} CSV files below {folder}: {", ".join(map(str, found[:3]))}; give one, or '
            'train.csv and test.csv, and name their folder with --lists'
        )
    return dict.fromkeys(found)


def _read(path: Path, split: str | None, errors: list[str]) -> list[dict]:
    rows = []
    try:
        columns, lines = read_csv(path)
    except ValueError as error:
        errors.append(str(error))
        return rows
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        errors.append(f'{path}: no column {missing}; the first line must name {",".join(COLUMNS)}')
        return rows
    has_split = split is None and 'split' in columns
    for where, line in lines:
        row = {name: line.get(name, '').strip() for name in (*COLUMNS, *_TIMES, 'split')}
        row |= dict(where=where, clip=_clip(row['clip']), label=row['label'].lower())
        errors += [f'{where}: {reason}' for reason in _faults(row, has_split)]
        row['split'] = row['split'].lower() if has_split else split
        rows.append(row)
    return rows


def _clip(name: str) -> str:
    """Path below the video folder without suffix, whatever system it was written on."""
    path = PurePosixPath(name.replace('\\', '/'))
    return str(path.with_suffix('') if path.suffix.lower() in RAW_SUFFIXES else path)


def _faults(row: dict, has_split: bool) -> list[str]:
    """What is wrong with a line."""
    faults = [f'{name} is empty' for name in COLUMNS[:3] if row[name] in ('', '.')]
    parts = PurePosixPath(row['clip']).parts
    if '..' in parts or parts[:1] == ('/',):
        faults.append(f'clip {row["clip"]!r} must be a path below the video folder')
    if row['label'] not in PERR.METAINFO['classes']:
        faults.append(unknown_name('label', row['label'], PERR.METAINFO['classes']))
    if has_split and row['split'].lower() not in SPLITS:
        faults.append(unknown_name('split', row['split'], SPLITS))
    times = {}
    for name in _TIMES:
        if row[name]:
            try:
                times[name] = seconds_in(row[name], name)
            except ValueError as error:
                faults.append(str(error))
    if len(times) == 2 and times['end'] <= times['start']:
        faults.append(f'end {row["end"]} is not after start {row["start"]}')
    return faults


def _check_pairs(rows: list[dict], errors: list[str]) -> None:
    """A pair stands once, and a clip is in one split."""
    first: dict[tuple, str] = {}
    splits: dict[str, dict] = defaultdict(dict)
    for row in rows:
        pair = (row['clip'], row['person_a'], row['person_b'])
        if pair in first:
            errors.append(f'{row["where"]}: the pair {" ".join(pair)} stands at {first[pair]} too')
        first.setdefault(pair, row['where'])
        splits[row['clip']].setdefault(row['split'], row['where'])
    for clip, places in splits.items():
        if len(places) > 1:
            listing = ', '.join(f'{split} ({where})' for split, where in places.items())
            errors.append(f'clip {clip!r} is in several splits: {listing}')


def _deal_out(rows: list[dict], test_share: float, seed: int) -> None:
    clips = sorted({row['clip'] for row in rows})
    random.Random(seed).shuffle(clips)
    count = min(max(1, round(test_share * len(clips))), len(clips) - 1)
    test = set(clips[: max(0, count)])
    for row in rows:
        row['split'] = 'test' if row['clip'] in test else 'train'


def _table(rows: list[dict]) -> bytes:
    """The CSV file that the data set reads."""
    columns = [*COLUMNS, *(_TIMES if any(row['start'] or row['end'] for row in rows) else ())]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction='ignore', lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _add_clips(plan: Plan, source: Path, clips: dict[str, None]) -> None:
    index = VideoIndex(source, find_videos(source))
    exact = {path for clip in clips for path in index.exact(clip)}
    used = set()
    for clip in clips:
        path, remark = index.find(clip, exact)
        if path is None:
            plan.missing[f'videos/{clip}'] = remark
            continue
        if remark:
            plan.notes.append(f'{clip}: {remark}')
        used.add(path)
        plan.media.append(Medium(path, f'videos/{clip}'))
        plan.subtitles |= subtitles_of(path, f'subtitles/{clip}')
    plan.unused = [str(path.relative_to(source)) for path in index.paths if path not in used]
