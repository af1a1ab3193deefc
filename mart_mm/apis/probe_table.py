"""Probes of several weights of one config, as a table and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from mmengine.config import Config

from mart_mm.apis.extract import SPLITS, SplitFeatures, extract_features
from mart_mm.apis.frozen import frozen_recognizer
from mart_mm.apis.probe import C_GRID, TEMPERATURE, probe

_HEADINGS = (
    'weights', 'features', 'probe', 'Acc (%)', 'macro-F1 (%)', 'chosen', 'absent (train / test)',
)  # fmt: skip


def probe_weights(
    cfg: Config, weights: Sequence[str], *, k: int = 20, seed: int = 0
) -> dict[str, object]:
    """Extract the features of both splits with each of several weights, and probe them.

    Args:
        cfg: The config.
        weights: See :func:`mart_mm.apis.frozen.frozen_recognizer`.
        k: Neighbours of the kNN probe.
        seed: Of the linear probe's folds.

    Returns:
        ``config``, ``classes``, ``splits`` (videos, videos by class, unreadable ones with the
        reason), ``settings``, and ``rows``: the fields of
        :class:`~mart_mm.apis.probe.ProbeScore` and ``weights``. The majority class stands once.
    """
    rows, features = [], {}
    for name in weights:
        recognizer = frozen_recognizer(cfg, name)
        features = {split: extract_features(recognizer, cfg, split) for split in SPLITS}
        for score in probe(features['train'], features['test'], k=k, seed=seed):
            if score.probe == 'majority':
                if not rows:
                    rows.append(dict(weights=None, **asdict(score)))
                continue
            rows.append(dict(weights=str(name), **asdict(score)))
    return dict(
        config=str(cfg.filename),
        classes=features['train'].classes,
        splits={split: _counts(found) for split, found in features.items()},
        settings=dict(
            C_grid=list(C_GRID),
            k=k,
            temperature=TEMPERATURE,
            seed=seed,
            config_seed=(cfg.get('randomness') or {}).get('seed'),
        ),
        rows=rows,
    )


def _counts(features: SplitFeatures) -> dict[str, object]:
    counts = Counter(features.labels.tolist())
    return dict(
        videos=len(features.ids),
        by_class={name: counts[index] for index, name in enumerate(features.classes)},
        unreadable=features.unreadable,
    )


def markdown(content: dict) -> str:
    """What :func:`probe_weights` returned, as a Markdown table with the counts below."""
    lines = [_row(_HEADINGS), _row(['---'] * len(_HEADINGS))]
    for row in content['rows']:
        chosen = row['chosen']
        if row['probe'] == 'linear':
            note = f'C = {chosen["C"]:g} (CV {chosen["cv_accuracy"]:.1f})'
        else:
            note = f'k = {chosen["k"]}' if chosen else ''
        has_features = row['weights'] is not None
        absent = f'{row["absent_train"]} / {row["absent_test"]}' if has_features else ''
        lines.append(
            _row(
                [
                    row['weights'] or '',
                    row['modality'] if has_features else '',
                    row['probe'],
                    f'{row["accuracy"]:.1f}',
                    f'{row["f1_macro"]:.1f}',
                    note,
                    absent,
                ]
            )
        )
    counts = [
        f'{split}: {found["videos"]} videos, {len(found["unreadable"])} not readable'
        for split, found in content['splits'].items()
    ]
    return '\n'.join([*lines, '', '; '.join(counts)])


def _row(cells: Sequence[str]) -> str:
    return '| ' + ' | '.join(cells) + ' |'
