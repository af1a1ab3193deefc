"""Mean and standard deviation of precomputed features."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mart_mm.datasets.manifest import FEATURE_COLUMNS, TEST_SHARE, read_manifest, split_rows
from mart_mm.datasets.media.feature_file import read_features
from mart_mm.errors import MediaError


def feature_stats(manifest: str | Path) -> tuple[dict[str, np.ndarray], list[str]]:
    """Per dimension, over all vectors of the training rows; files of all rows are read and checked.

    Args:
        manifest: As :class:`~mart_mm.datasets.manifest.ManifestDataset` reads it.

    Returns:
        ``<modality>_mean`` and ``<modality>_std`` float32 (D,), a constant dimension having the
        standard deviation 1; and what could not be read.

    Raises:
        ValueError: When a modality has no readable file for training, or files of several widths,
            naming file and line.
    """
    manifest = Path(manifest)
    by_split = split_rows(read_manifest(manifest), TEST_SHARE)
    rows = [
        (row, split == 'train') for split in ('train', 'val', 'test') for row in by_split[split]
    ]
    stats, failures = {}, []
    for name, column in FEATURE_COLUMNS.items():
        count, mean, squares = 0, 0.0, 0.0
        for row, is_trained in rows:
            if column not in row:
                continue
            path = manifest.parent / str(row[column])
            try:
                values = read_features(path).values.astype(np.float64)
            except MediaError as error:
                failures.append(f'{row["where"]}, {column}: {error}')
                continue
            if count and values.shape[1] != len(mean):
                raise ValueError(
                    f'{row["where"]}, {column}: {path} has {values.shape[1]} dimensions, the files '
                    f'before have {len(mean)}: extract it again as the others, or empty the field'
                )
            if not is_trained:
                continue
            # Chan et al., 1983: exact however many files there are
            delta = values.mean(0) - mean
            total = count + len(values)
            squares = squares + ((values - values.mean(0)) ** 2).sum(0)
            squares = squares + delta**2 * count * len(values) / total
            mean, count = mean + delta * len(values) / total, total
        if not count:
            raise ValueError(
                f'{manifest}: no readable {column} in the training rows; both modalities must be there '
                'in some rows, as the backbone has a stream for each'
            )
        std = np.sqrt(squares / count)
        stats[f'{name}_mean'] = np.asarray(mean, dtype=np.float32)
        stats[f'{name}_std'] = np.where(std > 1e-6, std, 1.0).astype(np.float32)
    return stats, failures
