"""Write a planted data set of precomputed features: sequences, subtitles, a manifest and the truth."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

_ROOT = str(Path(__file__).resolve().parents[3])
if _ROOT not in sys.path:  # run as a file, only this folder is on the path
    sys.path.insert(0, _ROOT)

from mart_mm.apis.feature_stats import feature_stats  # noqa: E402
from mart_mm.lexicon.senticnet import SenticNet6Lexicon  # noqa: E402
from mart_mm.planted.layouts import build_layout  # noqa: E402
from mart_mm.planted.options import Options  # noqa: E402
from mart_mm.planted.plans import RecordPlan  # noqa: E402
from mart_mm.planted.plant import plan  # noqa: E402
from mart_mm.planted.render_words import write_srt  # noqa: E402
from mart_mm.planted.truth import truth  # noqa: E402

DIMS = dict(visual=35, audio=74)  # as FACET and COVAREP features of CMU-MOSI have
LENGTHS = dict(visual=(20, 60), audio=(50, 120))  # vectors of a sequence
MISSING = 0.1  # share of records without a modality, each
_KINDS = ('npy', 'npz', 'safetensors')


def make(out: str | Path, *, strength: float = 1.0, **options: object) -> Path:
    """Plant features; the plan, words included, is that of planted videos in Ekman6's layout.

    A vector is noise, shifted along the class's own direction by the degree where the emotion is
    planted (in the sound: while it sounds), and along a random direction elsewhere. Each dimension
    has a scale and offset of its own. Sequences differ in length and kind of file; about a tenth of
    the records lack a modality.

    Args:
        out: Folder; files in it are replaced.
        strength: Length of the shift at degree 1, the noise having unit variance.
        options: ``train``, ``test``, ``seed`` and further fields of
            :class:`~mart_mm.planted.options.Options`.

    Returns:
        The folder.
    """
    out, chosen = Path(out), Options(**options)
    layout, lexicon = build_layout(chosen), SenticNet6Lexicon()
    files = plan(layout, lexicon)
    rng = np.random.default_rng((chosen.seed, 1))
    directions = {
        name: _unit(rng.standard_normal((len(layout.classes.names), dims)))
        for name, dims in DIMS.items()
    }
    scales = {name: np.exp(rng.normal(0, 1, dims)) for name, dims in DIMS.items()}
    offsets = {name: rng.normal(0, 3, dims) for name, dims in DIMS.items()}
    rows, missing = [], {}
    for number, (file, record) in enumerate((f, r) for f in files for r in f.records):
        own = np.random.default_rng((chosen.seed, 2, number))
        stem = record.video_id
        row = dict(id=stem, label=layout.classes.names[record.emotion], split=file.split)
        lacks = own.choice(['', 'visual', 'audio'], p=[1 - 2 * MISSING, MISSING, MISSING])
        for name in DIMS:
            if name == lacks:
                continue
            values, times = _sequence(record, name, directions[name], strength, own)
            values = values * scales[name] + offsets[name]
            row[f'{name}_features'] = _save(out, name, stem, values, times, own)
        if lacks:
            missing[stem] = str(lacks)
        if record.lines:
            row['transcript'] = f'subtitles/{stem}.srt'
            write_srt(out / row['transcript'], record.lines)
        rows.append(row)
    names = ['id', 'label', 'split', 'visual_features', 'audio_features', 'transcript']
    with (out / 'manifest.csv').open('w', newline='', encoding='utf-8') as target:
        writer = csv.DictWriter(target, names, lineterminator='\n')
        writer.writeheader()
        writer.writerows(rows)
    content = dict(truth(chosen, layout.classes, files), missing=missing)
    (out / 'truth.json').write_text(json.dumps(content) + '\n', encoding='utf-8')
    np.savez(out / 'feature_stats.npz', **feature_stats(out / 'manifest.csv')[0])
    return out


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _sequence(
    record: RecordPlan,
    name: str,
    directions: np.ndarray,
    strength: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (n, D), and the seconds of each."""
    length = int(rng.integers(*LENGTHS[name], endpoint=True))
    duration = record.end - record.start
    times = record.start + (np.arange(length) + 0.5) * duration / length
    values = rng.standard_normal((length, directions.shape[1]))
    for segment in record.segments:
        inside = (times >= segment.start) & (times < segment.end)
        shift, degree = _unit(rng.standard_normal(directions.shape[1])), rng.uniform(0.4, 1.0)
        if segment.degree > 0 and (name == 'visual' or segment.sound is not None):
            shift, degree = directions[record.emotion], segment.degree
            if name == 'audio':
                inside = (times >= segment.sound[0]) & (times < segment.sound[1])
        values[inside] += strength * degree * np.sqrt(directions.shape[1] / 10) * shift
    return values, times


def _save(
    out: Path,
    name: str,
    stem: str,
    values: np.ndarray,
    times: np.ndarray,
    rng: np.random.Generator,
) -> str:
    """Write a sequence as one of the kinds of file; an .npy bears no times."""
    kind = _KINDS[rng.integers(len(_KINDS))]
    path = Path(name) / f'{stem}.{kind}'
    (out / path).parent.mkdir(parents=True, exist_ok=True)
    values = values.astype(np.float32)
    if kind == 'npy':
        np.save(out / path, values)
    elif kind == 'npz':
        np.savez(out / path, features=values, times=times)
    else:
        from safetensors.numpy import save_file

        save_file(dict(features=values, times=times), out / path)
    return path.as_posix()


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument('--out', default='data/planted_features', help='folder')
    parser.add_argument('--train', type=int, default=96, help='training records')
    parser.add_argument('--test', type=int, default=96, help='test records')
    parser.add_argument('--strength', type=float, default=1.0, help='of what is planted')
    parser.add_argument('--seed', type=int, default=0, help='of everything')
    chosen = vars(parser.parse_args(arguments))
    try:
        out = make(**chosen)
    except ValueError as error:
        parser.error(str(error))
    print(f'{chosen["train"]} training and {chosen["test"]} test records are in {out}')


if __name__ == '__main__':
    main()
