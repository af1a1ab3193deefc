"""Mean, spread and confidence of a few runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats


def interval95(values: Sequence[float]) -> list[float] | None:
    """Student's 95 % confidence interval of the mean, or None for fewer than two values."""
    if len(values) < 2:
        return None
    mean, error = np.mean(values), stats.sem(values)
    reach = error * stats.t.ppf(0.975, len(values) - 1)
    return [float(mean - reach), float(mean + reach)]


def summarise(values: Sequence[float]) -> dict:
    """``mean``, ``std`` (unbiased, None for one value), ``ci95`` and ``values``.

    Args:
        values: One per seed.

    Raises:
        ValueError: When there is none, or one is not finite.
    """
    values = [float(value) for value in values]
    if not values or not np.isfinite(values).all():
        raise ValueError(f'nothing to summarise in {values}')
    return dict(
        mean=float(np.mean(values)),
        std=float(np.std(values, ddof=1)) if len(values) > 1 else None,
        ci95=interval95(values),
        values=values,
    )


def paired_difference(values: dict[int, float], reference: dict[int, float]) -> dict | None:
    """Mean and 95 % interval of the differences at the same seeds, or None where none is common.

    Args:
        values: By seed.
        reference: By seed.
    """
    seeds = sorted(values.keys() & reference.keys())
    if not seeds:
        return None
    differences = [values[seed] - reference[seed] for seed in seeds]
    return dict(mean=float(np.mean(differences)), ci95=interval95(differences))
