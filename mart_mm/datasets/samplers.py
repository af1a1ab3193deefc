"""Sampling orders."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from mmengine.dataset import DefaultSampler

from mart_mm.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class ResumableSampler(DefaultSampler):
    """MMEngine's sampler, whose order depends on (seed, epoch) only, able to start within an epoch.

    Attributes:
        skip: Indices left out at the start of the next pass.
    """

    skip = 0

    def __iter__(self) -> Iterator[int]:
        """Indices of this process, without the first ``skip``."""
        return islice(super().__iter__(), self.skip, None)
