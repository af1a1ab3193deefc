"""Sampling orders."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
import torch
from mmengine.dataset import DefaultSampler
from mmengine.dist import broadcast_object_list

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


@DATA_SAMPLERS.register_module()
class BalancedSampler(ResumableSampler):
    """Training order of several processes in which none waits for another's long videos.

    Videos are taken in the order of :class:`ResumableSampler`, as many at a time as there are
    processes; of these the process that has decoded least so far gets the longest, and so on. So the
    videos of a step are the same ones, whatever the batch size; only which process reads which
    differs, and with one process nothing does. Not for evaluation, whose results are put back into
    order by position.

    The data set says how long each video is (``decoded_seconds``); one that does not say has videos
    of equal length. The first process asks and tells the others, who could read something else
    where a file cannot be reached by all of them.

    Args:
        max_seconds: Longer videos count as this long: of them only the parts around the chosen frames
            are decoded.
        kwargs: Of MMEngine's ``DefaultSampler``.

    Raises:
        ValueError: For a limit that is not positive.
    """

    def __init__(self, *args: object, max_seconds: float = 60.0, **kwargs: object) -> None:
        if not max_seconds > 0:
            raise ValueError(f'max_seconds={max_seconds}: must be above 0')
        super().__init__(*args, **kwargs)
        self.max_seconds = max_seconds
        self._seconds: np.ndarray | None = None

    def __iter__(self) -> Iterator[int]:
        """Indices of this process, without the first ``skip``."""
        if self.world_size == 1:
            return super().__iter__()
        return islice(self._shares()[self.rank], self.skip, None)

    def _shares(self) -> list[list[int]]:
        """Indices of each process in this epoch."""
        shares: list[list[int]] = [[] for _ in range(self.world_size)]
        spent = np.zeros(self.world_size)
        order, seconds = self._order(), self._lengths()
        for start in range(0, len(order), self.world_size):
            group = order[start : start + self.world_size]
            ranks = np.argsort(spent[: len(group)], kind='stable')
            longest_first = sorted(group, key=lambda index: -seconds[index])
            for rank, index in zip(ranks.tolist(), longest_first, strict=True):
                shares[rank].append(index)
                spent[rank] += seconds[index]
        return shares

    def _order(self) -> list[int]:
        """Indices of all processes, as MMEngine's sampler deals them out."""
        order = list(range(len(self.dataset)))
        if self.shuffle:
            generator = torch.Generator()
            generator.manual_seed(self.seed + self.epoch)
            order = torch.randperm(len(order), generator=generator).tolist()
        if self.round_up:
            order = (order * (self.total_size // len(order) + 1))[: self.total_size]
        return order

    def _lengths(self) -> np.ndarray:
        if self._seconds is None:
            told: list = [self._ask_lengths() if self.rank == 0 else None]
            broadcast_object_list(told)
            seconds, error = told[0]
            if error is not None:  # of all processes, so that none waits for the others
                raise error
            self._seconds = np.minimum(seconds, self.max_seconds)
        return self._seconds

    def _ask_lengths(self) -> tuple[list[float], Exception | None]:
        """Seconds of each video, or what was raised on the way."""
        ask = getattr(self.dataset, 'decoded_seconds', lambda index: 0.0)
        try:
            return [ask(index) for index in range(len(self.dataset))], None
        except Exception as error:
            return [], error
