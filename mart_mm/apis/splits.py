"""The data sets and pipelines that a config's splits use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mmengine.config import Config

from mart_mm.datasets.base import AffectiveDataset
from mart_mm.errors import unknown_name
from mart_mm.registry import DATASETS

SPLITS = ('train', 'val', 'test')


def dataset_config(cfg: Config, split: str) -> dict | None:
    """Config of a split's data set, or None where the config has no such split.

    Raises:
        ValueError: For an unknown split.
    """
    if split not in SPLITS:
        raise ValueError(unknown_name('split', split, SPLITS))
    loader = cfg.to_dict().get(f'{split}_dataloader')
    return loader['dataset'] if loader else None


def build_split(cfg: Config, split: str, *, with_pipeline: bool = True) -> AffectiveDataset:
    """The data set of a split, without a cache.

    Args:
        cfg: The config.
        split: One of :data:`SPLITS`.
        with_pipeline: Whether its samples are wanted; otherwise only its records are.

    Raises:
        ValueError: When the config has no such split.
    """
    found = dataset_config(cfg, split)
    if found is None:
        there = [name for name in SPLITS if dataset_config(cfg, name)]
        raise ValueError(f'{cfg.filename} has no {split} split, it has {", ".join(there)}')
    return DATASETS.build(found if with_pipeline else found | dict(pipeline=[]))


def find_step(pipeline: Sequence[Mapping], kind: str) -> dict | None:
    """The first step of a type in a pipeline, or in pipelines inside its steps, or None."""
    return next(_steps(pipeline, kind), None)


def _steps(node: object, kind: str) -> Iterator[dict]:
    if isinstance(node, Mapping):
        if node.get('type') in (kind, f'mart_mm.{kind}'):
            yield dict(node)
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for child in node:
            yield from _steps(child, kind)
