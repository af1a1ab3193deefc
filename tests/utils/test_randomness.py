"""Global sources of randomness."""

import random

import numpy as np
import torch

from mart_mm.utils.randomness import seeded_globals


def draw() -> tuple:
    return random.random(), np.random.rand(), float(torch.rand(()))  # noqa: NPY002


def test_draws_follow_from_the_numbers_and_leave_no_trace() -> None:
    state = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    untouched = draw()
    random.setstate(state[0])
    np.random.set_state(state[1])  # noqa: NPY002
    torch.set_rng_state(state[2])
    with seeded_globals(1, 2, 3):
        inside = draw()
    assert draw() == untouched
    with seeded_globals(1, 2, 3):
        assert draw() == inside
    with seeded_globals(1, 2, 4):
        assert all(a != b for a, b in zip(draw(), inside, strict=True))
