"""Python's, NumPy's and torch's global sources of randomness, as one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_globals(*entropy: int) -> None:
    """Seed all three from a few numbers."""
    seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  third-party code may draw from the global one
    torch.manual_seed(seed)


@contextmanager
def seeded_globals(*entropy: int) -> Iterator[None]:
    """Inside, what is drawn depends on these numbers only; afterwards nothing has been drawn."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    seed_globals(*entropy)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
        torch.set_rng_state(before[2])
