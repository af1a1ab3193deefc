"""Records and classes of each split, and files that are missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mmengine.config import Config

from mart_mm.apis.check.findings import ERROR, OK, WARNING, Finding, told
from mart_mm.apis.splits import SPLITS, build_split, dataset_config
from mart_mm.datasets.base import AffectiveDataset
from mart_mm.datasets.remote import exists

_SHOWN = 3  # missing files
_MAX_FAILED = 0.1  # what FailureReportHook allows where the config does not say


def check_data(cfg: Config) -> list[Finding]:
    """Read the lists of all splits; nothing is decoded."""
    findings, seen = [], {}
    for split in SPLITS:
        config = dataset_config(cfg, split)
        if config is None:
            continue
        same = next((other for other, known in seen.items() if known == config), None)
        seen[split] = config
        if same is not None:
            findings.append(Finding(OK, 'data', f'{split}: the same data as {same}'))
            continue
        try:
            data_set = build_split(cfg, split, with_pipeline=False)
        except (OSError, LookupError, TypeError, ValueError) as error:
            findings.append(Finding(ERROR, 'data', f'{split}: {told(error)}'))
        else:
            findings += _look_at(data_set, split, cfg)
    return findings


def _look_at(data_set: AffectiveDataset, split: str, cfg: Config) -> Iterator[Finding]:
    classes = data_set.metainfo['classes']
    records = [data_set.get_data_info(index) for index in range(len(data_set))]
    counts = Counter(record['gt_emotion'] for record in records)
    shares = ', '.join(f'{name} {counts[index]}' for index, name in enumerate(classes))
    yield Finding(OK, 'data', f'{split}: {len(records)} samples, {len(classes)} classes: {shares}')
    empty = [name for index, name in enumerate(classes) if not counts[index]]
    if empty:
        yield Finding(WARNING, 'data', f'{split}: no sample of {", ".join(empty)}')
    head = cfg.model.get('head', {}).get('polarity')
    if head is not None and len(head) != len(classes):
        yield Finding(
            ERROR,
            'data',
            f'{split}: {len(classes)} classes, but model.head.polarity has {len(head)} values: give '
            'each class its own, -1, 0 or 1, in the order above',
        )
    yield from _missing(records, split, cfg)


def _missing(records: list[dict], split: str, cfg: Config) -> Iterator[Finding]:
    lacking = {}
    for record in records:
        named = (record.get('video_path'), record.get('audio_path'))
        for path in (*named, *(record.get('features') or {}).values()):
            if path and not exists(path):
                lacking.setdefault(record['video_id'], path)
    if not lacking:
        return
    share = len(lacking) / len(records)
    level = ERROR if share > _allowed(cfg) else WARNING
    shown = list(lacking.values())[:_SHOWN]
    more = ', ...' if len(lacking) > _SHOWN else ''
    yield Finding(
        level,
        'data',
        f'{split}: the files of {len(lacking)} of {len(records)} samples are missing: '
        f'{", ".join(shown)}{more}; a run skips them, and stops when more than '
        f'{_allowed(cfg):.0%} fail. `mart-mm scan {cfg.filename}` looks into every file',
    )


def _allowed(cfg: Config) -> float:
    """Share of unreadable videos that a run bears."""
    hooks = (hook for hook in cfg.get('custom_hooks') or () if hook.type == 'FailureReportHook')
    return next((hook.get('max_failed_share', _MAX_FAILED) for hook in hooks), _MAX_FAILED)
