"""The card that a run's checkpoints carry."""

from __future__ import annotations

import statistics
from pathlib import Path

from mmengine.config import Config
from torch.utils.data import Dataset

from mart_mm.structures.inference_card import InferenceCard
from mart_mm.version import __version__

_SAMPLED = 32  # records whose length is asked for: each may open a file


def describe(cfg: Config, dataset: Dataset) -> InferenceCard | None:
    """The card of a run.

    Args:
        cfg: Its config.
        dataset: Its training data.

    Returns:
        None for data that does not say its classes and their polarity.
    """
    meta = getattr(dataset, 'metainfo', {})
    if not {'classes', 'polarity'} <= meta.keys():
        return None
    plain = cfg.to_dict()
    pipeline = evaluation_pipeline(plain) or []
    return InferenceCard(
        name=Path(cfg.filename).stem if cfg.filename else plain['model'].get('type', ''),
        model=plain['model'],
        pipeline=pipeline,
        classes=list(meta['classes']),
        polarity=list(meta['polarity']),
        mood_table=dict(meta.get('mood_table') or {}),
        segment_seconds=segment_seconds(pipeline, dataset),
        version=__version__,
    )


def evaluation_pipeline(cfg: dict) -> list[dict] | None:
    """Pipeline of the test split, or of the validation split where there is no other."""
    for split in ('test', 'val'):
        loader = cfg.get(f'{split}_dataloader') or {}
        pipeline = loader.get('dataset', {}).get('pipeline')
        if pipeline:
            return pipeline
    return None


def segment_seconds(pipeline: list[dict], dataset: Dataset) -> float | None:
    """Median length of a segment over records spread evenly; None where no length is known."""
    count = next((step['num_segments'] for step in pipeline if 'num_segments' in step), None)
    ask = getattr(dataset, 'decoded_seconds', None)
    if count is None or ask is None or not len(dataset):
        return None
    step = max(1, len(dataset) // _SAMPLED)
    lengths = [ask(index) for index in range(0, len(dataset), step)]
    known = [length for length in lengths if length > 0]
    return round(statistics.median(known) / count, 3) if known else None
