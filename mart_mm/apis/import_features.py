"""From pickled feature sets of multimodal sentiment analysis to files and a manifest."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mart_mm.datasets.media.plain_pickle import read_pickle
from mart_mm.utils.atomic import replacing

LABELS = ('negative', 'neutral', 'positive')
#: keys of a split in the layout of MMSA and its kin, by modality
_FEATURES = dict(visual='vision', audio='audio')
_NUMBERS = ('regression_labels', 'labels')
_SPLITS = dict(train='train', valid='val', val='val', dev='val', test='test')
_COLUMNS = ('id', 'label', 'split', 'end', 'visual_features', 'audio_features', 'transcript')
#: seconds a record counts as, when nothing tells its times
_DURATION = 60.0


@dataclass
class FeatureImport:
    """What was made of a pickle.

    Attributes:
        counts: Records by split and label.
        lacking: Records without a modality or without words, by what they lack; those that lack
            both modalities are left out.
        zeroed: Values that were not finite and are 0 now, by modality.
    """

    counts: dict[str, Counter] = field(default_factory=dict)
    lacking: Counter = field(default_factory=Counter)
    zeroed: Counter = field(default_factory=Counter)


def import_features(
    source: str | Path, out: str | Path, *, zero_nonfinite: bool = False
) -> FeatureImport:
    """Unpack ``{split: {vision, audio, raw_text, id, labels}}`` into files and a manifest.

    ``vision`` and ``audio`` are (n, length, dims); padding is left out: what ``vision_lengths`` and
    ``audio_lengths`` cut off, or else rows at both ends that are zero throughout. The label is the
    string in ``annotations`` or, without these, the sign of the number in ``regression_labels`` or
    ``labels``: negative, neutral (0) or positive. Features and words are spread evenly over a record,
    which lasts as long as its ``id`` says (video, start, end), else counts as a minute.

    Args:
        source: The pickle; only arrays and plain containers are read from it.
        out: Folder; gets ``visual/``, ``audio/``, ``subtitles/`` and ``manifest.csv``.
        zero_nonfinite: Whether 0 takes the place of values that are not finite (COVAREP has such).

    Raises:
        MediaError: When the pickle holds code or is damaged.
        ValueError: When it has another layout, or values that are not finite, naming what and where.
    """
    content, out = read_pickle(source), Path(out)
    if not isinstance(content, dict) or not set(content) & set(_SPLITS):
        raise ValueError(f'{source}: no splits {sorted(_SPLITS)} at the top level')
    report, rows = FeatureImport(), []
    for name in (name for name in content if name in _SPLITS):
        rows += _write_split(content[name], name, f'{source}, {name}', out, zero_nonfinite, report)
    with (
        replacing(out / 'manifest.csv') as temporary,
        temporary.open('w', newline='', encoding='utf-8') as file,
    ):
        writer = csv.DictWriter(file, _COLUMNS, lineterminator='\n')
        writer.writeheader()
        writer.writerows(rows)
    return report


def _write_split(
    part: object, split: str, where: str, out: Path, zero_nonfinite: bool, report: FeatureImport
) -> list[dict]:
    """Write the files of a split; rows of the manifest."""
    if not isinstance(part, Mapping) or 'id' not in part:
        found = sorted(map(str, part)) if isinstance(part, Mapping) else type(part).__name__
        raise ValueError(f"{where}: no 'id'; it has {found}")
    if not set(part) & set(_FEATURES.values()):
        raise ValueError(f'{where}: neither vision nor audio; it has {sorted(map(str, part))}')
    labels = _labels(part, where)
    for key in ('id', 'raw_text', *_FEATURES.values()):
        if key in part and len(part[key]) != len(labels):
            raise ValueError(f'{where}: {len(part[key])} {key} for {len(labels)} labels')
    ids = [_name_and_seconds(given) for given in part['id']]
    names, rows = Counter(name for name, _ in ids), []
    for index, (label, (name, seconds)) in enumerate(zip(labels, ids, strict=True)):
        stem = _file_name(name, split, index)
        row = dict(id=f'{split}/{name}', label=label, split=_SPLITS[split], end=seconds)
        if names[name] > 1:
            row['id'] += f'#{index}'
        for modality, key in _FEATURES.items():
            values = _sequence(part, key, index)
            if values is None:
                report.lacking[modality] += 1
                continue
            broken = ~np.isfinite(values)
            if broken.any() and not zero_nonfinite:
                raise ValueError(
                    f'{where}, {key} of record {index} ({name}): {broken.sum()} of {broken.size} '
                    'values are not finite; --zero-nonfinite puts 0 in their place'
                )
            report.zeroed[modality] += int(broken.sum())
            row[f'{modality}_features'] = f'{modality}/{stem}.npy'
            with replacing(out / modality / f'{stem}.npy') as temporary:
                np.save(temporary, np.where(broken, np.float32(0), values))
        text = _text(part['raw_text'][index]) if 'raw_text' in part else ''
        if text:
            row['transcript'] = f'subtitles/{stem}.srt'
            _write_line(out / row['transcript'], text, seconds)
        else:
            report.lacking['words'] += 1
        if row.keys() & {'visual_features', 'audio_features'}:
            rows.append(row)
    report.counts[split] = Counter(row['label'] for row in rows)
    return rows


def _labels(part: Mapping, where: str) -> list[str]:
    if 'annotations' in part:
        return [_text(label).lower() for label in part['annotations']]
    key = next((key for key in _NUMBERS if key in part), None)
    if key is None:
        raise ValueError(
            f'{where}: neither annotations nor {" nor ".join(_NUMBERS)}; '
            f'it has {sorted(map(str, part))}'
        )
    numbers = np.asarray(part[key], dtype=np.float64)
    if numbers.size != len(numbers) or not np.isfinite(numbers).all():
        raise ValueError(
            f'{where}: {key} have shape {numbers.shape}: one finite number for each record is needed, '
            "or its class as a string in 'annotations'"
        )
    return [LABELS[int(sign) + 1] for sign in np.sign(numbers.ravel())]


def _name_and_seconds(given: object) -> tuple[str, float]:
    """Of an id, which may be (video, start, end)."""
    if not isinstance(given, (list, tuple, np.ndarray)):
        return _text(given), _DURATION
    parts = [_text(part) for part in given]
    try:
        seconds = float(parts[2]) - float(parts[1])
    except (IndexError, ValueError):
        seconds = 0.0
    return '_'.join(parts), round(seconds, 3) if seconds > 0 else _DURATION


def _text(value: object) -> str:
    """On one line."""
    text = value.decode('utf-8', errors='replace') if isinstance(value, bytes) else str(value)
    return ' '.join(text.split())


def _file_name(name: str, split: str, index: int) -> str:
    """A file name that is safe whatever the id holds."""
    plain = ''.join(c if c.isalnum() or c in '-_' else '_' for c in name)
    return f'{split}_{index:05d}_{plain[:80]}'


def _sequence(part: Mapping, key: str, index: int) -> np.ndarray | None:
    """Vectors (n, D) without padding, or None where there is none."""
    if key not in part:
        return None
    values = np.atleast_2d(np.asarray(part[key][index], dtype=np.float32))
    filled = np.flatnonzero(values.any(1))
    if not len(filled):
        return None
    if f'{key}_lengths' in part:
        return values[: max(1, int(np.ravel(part[f'{key}_lengths'][index])[0]))]
    return values[filled[0] : filled[-1] + 1]


def _write_line(path: Path, text: str, seconds: float) -> None:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    minutes, whole = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    stamp = f'00:00:00,000 --> {hours:02}:{minutes:02}:{whole:02},{milliseconds:03}'
    with replacing(path) as temporary:
        temporary.write_text(f'1\n{stamp}\n{text}\n', encoding='utf-8')
