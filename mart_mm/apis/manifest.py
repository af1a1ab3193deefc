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
    """

    path: Path
    classes: list[str]
    counts: dict[str, Counter] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


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
            if column in row and not (path.parent / str(row[column])).exists():
                report.missing.append(f'{row["where"]}, {column}: {row[column]} does not exist')
    return report


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
        presets = [*getattr(data_set, 'PRESETS', {}).values(), data_set.METAINFO]
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
        ValueError: For a label without polarity, an unknown label, or a manifest without training
            videos.
    """
    for name in polarity:
        if name not in report.classes:
            raise ValueError(f'polarity: {unknown_name("label", name, report.classes)}')
    known, moods = known_affect(report.classes)
    signs = known | dict(polarity)
    unsigned = [name for name in report.classes if name not in signs]
    if unsigned:
        options = ' '.join(f'{name}=-1|0|1' for name in unsigned)
        raise ValueError(
            f'{report.path}: is it good or bad to feel {unsigned}? --polarity {options}'
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
            if stage == 'val':  # no score to choose a checkpoint by
                lines.append('default_hooks = dict(checkpoint=dict(save_best=None))')
    if epochs is not None:
        lines += _schedule(Config.fromfile(base), *epochs)
    return '\n\n'.join(lines) + '\n'


def _schedule(base: Config, pretrain: int, finetune: int) -> list[str]:
    """Lines that make the base's run as long as asked, each stage ending in a cosine."""
    if pretrain < 1 or finetune < 1:
        raise ValueError(f'epochs {pretrain} {finetune}: at least one of each stage')
    hooks = base.to_dict()['custom_hooks']
    for hook in hooks:
        if hook['type'] == 'StageSwitchHook':
            hook['pretrain_epochs'] = pretrain
        if hook['type'] == 'EMAHook':
            hook['begin_epoch'] = pretrain + 1
    scheduler = dict(
        type='CosineRestartLR',
        periods=[pretrain, finetune],
        restart_weights=[1.0, 0.5],
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
