"""From a manifest of precomputed features to a config that trains on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from pprint import pformat

import numpy as np
from mmengine.config import Config

from mart_mm.apis.feature_stats import feature_stats
from mart_mm.apis.manifest import inspect_manifest, manifest_config
from mart_mm.datasets.manifest import FEATURE_COLUMNS
from mart_mm.utils.atomic import replacing, write_text


@dataclass
class FeatureCheck:
    """What a manifest of features holds.

    Attributes:
        counts: Rows by split and label.
        problems: Files that are missing or cannot be used, and why.
        doubts: What is allowed but seldom meant.
    """

    counts: dict[str, Counter]
    problems: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def write_feature_config(
    manifest: str | Path,
    out: str | Path,
    base: str | Path,
    polarity: Mapping[str, int],
    epochs: tuple[int, int] | None = None,
) -> tuple[Path, FeatureCheck]:
    """Write ``feature_stats.npz`` and a config that is named after its base.

    Args:
        manifest: As :class:`~mart_mm.datasets.manifest.ManifestDataset` reads it.
        out: Folder.
        base: Config to inherit from, such as ``configs/features/mart_features_manifest.py``.
        polarity: Polarity in {-1, 0, 1} of labels that no public data set has, or other ones.
        epochs: Of pretraining and of finetuning; default: the base's.

    Returns:
        The config's path, and what the manifest holds.

    Raises:
        ValueError: For what keeps a run from starting: a label without polarity, no training rows,
            a modality without any readable file.
    """
    out = Path(out)
    report = inspect_manifest(manifest)
    path = out / Path(base).name.replace('_manifest', '')
    text = manifest_config(report, base, path, polarity, epochs)
    stats, failures = feature_stats(manifest)
    stats_path = out / 'feature_stats.npz'
    with replacing(stats_path) as temporary:
        np.savez(temporary, **stats)
    dims = {name: len(stats[f'{name}_mean']) for name in FEATURE_COLUMNS}
    write_text(path, text + '\n' + dims_lines(Config.fromfile(base), dims, stats_path.resolve()))
    problems = report.missing + [line for line in failures if 'does not exist' not in line]
    return path, FeatureCheck(report.counts, problems, report.doubts)


def dims_lines(base: Config, dims: Mapping[str, int], stats: Path) -> str:
    """Lines of a config that say how wide the features are wherever the base says it.

    Args:
        base: Its parent.
        dims: D of each modality.
        stats: File of mean and standard deviation.
    """
    cfg = base.to_dict()
    model = dict(
        data_preprocessor=dict(dims=dict(dims), stats=str(stats)),
        backbone={name: dict(in_dims=width) for name, width in dims.items()},
    )
    if cfg['model'].get('pretext'):
        model['pretext'] = {
            name: dict(targets=_with_dims(cfg['model']['pretext'][name]['targets'], dims))
            for name in dims
        }
    pipeline = _with_dims(cfg['train_dataloader']['dataset']['pipeline'], dims)
    lines = [f'model.update(**{_literal(model)})', f'features_pipeline = {_literal(pipeline)}']
    for split in ('train', 'val', 'test'):
        assignment = f"{split}_dataloader['dataset']['pipeline'] = features_pipeline"
        lines.append(f'if {split}_dataloader:  # there are such rows\n    {assignment}')
    return '\n\n'.join(lines) + '\n'


def _with_dims(steps: list[dict], dims: Mapping[str, int]) -> list[dict]:
    """Transforms or targets, those that have ``dims`` with these."""
    changed = []
    for step in steps:
        if 'dims' in step:
            one = step.get('modality')
            step = step | dict(dims=dims[one] if one else dict(dims))
        changed.append(step)
    return changed


def _literal(content: object) -> str:
    return pformat(content, width=90, sort_dicts=False)
