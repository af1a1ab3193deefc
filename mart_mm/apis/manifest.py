"""From a manifest of own videos to a config that trains on it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from pprint import pformat

from mmengine.config import Config

from mart_mm.datasets.manifest import (
    FEATURE_COLUMNS,
    TEST_SHARE,
    ManifestDataset,
    read_manifest,
    row_label,
    split_rows,
)
from mart_mm.datasets.remote import exists, located
from mart_mm.errors import unknown_name
from mart_mm.registry import DATASETS


@dataclass
class ManifestReport:
    """What a manifest holds.

    Attributes:
        path: The manifest.
        classes: Labels, in alphabetic order.
        counts: Videos by split and label.
        missing: Files that do not exist, with the line that names them.
        doubts: What is allowed but seldom meant.
    """

    path: Path
    classes: list[str]
    counts: dict[str, Counter] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def inspect_manifest(path: str | Path) -> ManifestReport:
    """Read a manifest as :class:`ManifestDataset` does, and look for its files.

    Args:
        path: ``.csv`` or ``.jsonl``.

    Raises:
        ValueError: Naming file, line, field and remedy.
    """
    path = Path(path)
    rows = read_manifest(path)
    if not rows:
        raise ValueError(f'{path}: no rows')
    report = ManifestReport(path, sorted({row_label(row) for row in rows}))
    for split, chosen in split_rows(rows, TEST_SHARE).items():
        report.counts[split] = Counter(row_label(row) for row in chosen)
        if not chosen:
            continue
        ManifestDataset(  # reads the other fields too, and names what is wrong in them
            ann_file=str(path.resolve()),
            data_root='',
            split=split,
            classes=report.classes,
            polarity=[0] * len(report.classes),
            pipeline=[],
        )
    for row in rows:
        for column in ('video', 'transcript', *FEATURE_COLUMNS.values()):
            if column in row and not exists(located(path.parent, str(row[column]))):
                report.missing.append(f'{row["where"]}, {column}: {row[column]} does not exist')
    report.doubts = _doubts(report, rows)
    return report


def _doubts(report: ManifestReport, rows: Sequence[Mapping]) -> list[str]:
    """What a run would not stop for, and its results would not mean much."""
    doubts = []
    if len(report.classes) == 1:
        doubts.append(f'all rows have the label {report.classes[0]!r}: there is nothing to learn')
    for name in report.classes:
        if report.counts['train'] and not report.counts['train'][name]:
            where = next(row['where'] for row in rows if row_label(row) == name)
            doubts.append(f'{name!r} ({where}) has no row for training, so it is never predicted')
    by_case: dict[str, list[str]] = {}
    for name in report.classes:
        by_case.setdefault(name.lower(), []).append(name)
    doubts += [
        f'{same} differ in case only and are several classes'
        for same in by_case.values()
        if len(same) > 1
    ]
    if not report.counts['val']:
        doubts.append('no row for validation: the last checkpoint is kept, not the best one')
    if not report.counts['test'] and not any('split' in row for row in rows):
        doubts.append(
            f'none of {len(rows)} rows fell into the {TEST_SHARE:.0%} held out for testing: '
            "add a column 'split'"
        )
    moods = known_affect(report.classes)[1].values()
    silent = [name for name in report.classes if name not in moods]
    if silent:
        doubts.append(
            f'no word of the lexicon speaks for {silent}: words are verified by sentiment there '
            '(mood_table of the data sets changes that)'
        )
    return doubts


def known_affect(classes: Sequence[str]) -> tuple[dict[str, int], dict[str, str]]:
    """Polarity and moods of the labels that a public data set has too, whatever their case.

    Args:
        classes: Labels.

    Returns:
        Polarity by label, and label by mood of the lexicon.
    """
    by_name = {name.lower(): name for name in classes}
    polarity: dict[str, int] = {name: s for name, s in _SENTIMENTS.items() if name in by_name}
    moods: dict[str, str] = {}
    for data_set in DATASETS.module_dict.values():
        presets = [*getattr(data_set, 'PRESETS', {}).values(), getattr(data_set, 'METAINFO', {})]
        for metainfo in presets:
            if 'mood_table' not in metainfo:
                continue
            for name, sign in zip(metainfo['classes'], metainfo['polarity'], strict=True):
                if name.lower() in by_name:
                    polarity.setdefault(name.lower(), sign)
            for mood, name in metainfo['mood_table'].items():
                # the mood of the same name first: anger speaks for anger before it does for hostile
                if name.lower() in by_name and (mood not in moods or mood == name.lower()):
                    moods[mood] = by_name[name.lower()]
    return {by_name[name]: sign for name, sign in polarity.items()}, moods


def parse_polarity(items: Sequence[str]) -> dict[str, int]:
    """Polarity by label from ``LABEL=SIGN`` of a command line.

    Raises:
        ValueError: For anything else.
    """
    polarity = {}
    for item in items:
        name, _, sign = item.rpartition('=')
        if sign not in ('-1', '0', '1'):
            raise ValueError(f'--polarity {item}: write LABEL=-1, LABEL=0 or LABEL=1')
        polarity[name] = int(sign)
    return polarity


_SENTIMENTS = dict(negative=-1, neutral=0, positive=1)


def manifest_config(
    report: ManifestReport,
    base: str | Path,
    out: str | Path,
    polarity: Mapping[str, int],
    epochs: tuple[int, int] | None = None,
) -> str:
    """Text of a config that trains on a manifest.

    Args:
        report: What the manifest holds.
        base: Config to inherit from, such as ``configs/mart/mart_mbt_manifest.py``.
        out: Where the config will be, so that it finds its base.
        polarity: Polarity in {-1, 0, 1} of labels that no public data set has, or other ones.
        epochs: Of pretraining and of finetuning; default: the base's.

    Raises:
        ValueError: For a label without polarity, an unknown label, a manifest without training
            videos, or a base that does not read manifests.
    """
    _check_base(report, base)
    for name in polarity:
        if name not in report.classes:
            raise ValueError(f'polarity: {unknown_name("label", name, report.classes)}')
    known, moods = known_affect(report.classes)
    signs = known | dict(polarity)
    unsigned = [name for name in report.classes if name not in signs]
    if unsigned:
        options = ' '.join(f'{name}=1' for name in unsigned)
        raise ValueError(
            f'{report.path}: is it good (1), bad (-1) or neither (0) to feel {unsigned}? '
            f'Add for example: --polarity {options}'
        )
    if not report.counts['train']:
        raise ValueError(f'{report.path}: no row for training')
    data = dict(
        ann_file=str(report.path.resolve()),
        classes=report.classes,
        polarity=[signs[name] for name in report.classes],
        mood_table=moods,
    )
    lines = [
        f'"""Trains on {report.path.name}."""',
        f'_base_ = {os.path.relpath(Path(base).resolve(), Path(out).resolve().parent)!r}',
        f'model = dict(head=dict(polarity={data["polarity"]!r}))',
        f'train_dataloader = dict(dataset=dict(**{_literal(data)}))',
    ]
    evaluated = {
        'val': 'val' if report.counts['val'] else 'test',
        'test': 'test' if report.counts['test'] else 'val',
    }
    for stage, split in evaluated.items():
        if report.counts[split]:
            lines.append(
                f'{stage}_dataloader = dict(dataset=dict(**{_literal(data | dict(split=split))}))'
            )
        else:
            lines += [f'{stage}_{part} = None' for part in ('dataloader', 'cfg', 'evaluator')]
    if not report.counts['val']:  # no score to choose a checkpoint by
        lines.append('default_hooks = dict(checkpoint=dict(save_best=None))')
    if epochs is not None:
        lines += _schedule(Config.fromfile(base), *epochs)
    return '\n\n'.join(lines) + '\n'


def _check_base(report: ManifestReport, base: str | Path) -> None:
    dataset = Config.fromfile(base).train_dataloader.dataset
    if dataset.type != 'ManifestDataset':
        raise ValueError(f'{base}: reads {dataset.type}, not a manifest: choose a *_manifest.py')
    has_features = any(t.type == 'LoadFeatures' for t in dataset.pipeline)
    rows = read_manifest(report.path)
    for row in rows:
        if not has_features and 'video' not in row:
            raise ValueError(
                f'{row["where"]}: no video. For precomputed features: python '
                'tools/data/import_features.py MANIFEST --out FOLDER'
            )
    if has_features and not any(c in row for row in rows for c in FEATURE_COLUMNS.values()):
        raise ValueError(
            f'{report.path}: no column of features ({", ".join(FEATURE_COLUMNS.values())}). For videos: '
            'python tools/data/manifest/prepare.py MANIFEST --out CONFIG'
        )


def _schedule(base: Config, pretrain: int, finetune: int) -> list[str]:
    """Lines that make the base's run as long as asked, each stage ending in a cosine.

    Without a pretext the epochs of both stages are one.
    """
    if pretrain < 1 or finetune < 1:
        raise ValueError(f'epochs {pretrain} {finetune}: at least one of each stage')
    stages = [pretrain, finetune]
    if not base.model.get('pretext'):
        pretrain, finetune = 0, pretrain + finetune
        stages = [finetune]
    hooks = base.to_dict()['custom_hooks']
    for hook in hooks:
        if hook['type'] == 'StageSwitchHook':
            hook['pretrain_epochs'] = pretrain
        if hook['type'] == 'EMAHook':
            hook['begin_epoch'] = pretrain + 1
    scheduler = dict(
        type='CosineRestartLR',
        periods=stages,
        restart_weights=[1.0, 1.0][: len(stages)],
        eta_min=1e-6,
        by_epoch=True,
        convert_to_iter_based=True,
    )
    return [
        f'train_cfg = dict(max_epochs={pretrain + finetune}, val_begin={pretrain + 1}, val_interval=1)',
        f'param_scheduler = [dict(**{_literal(scheduler)})]',
        f'custom_hooks = {_literal(hooks)}',
    ]


def _literal(content: object) -> str:
    return pformat(content, width=90, sort_dicts=False)
