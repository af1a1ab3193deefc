"""Run a module as in evaluation for a moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put a module into evaluation mode, then back: no dropout, and running statistics stay.

    Args:
        module: Whose parts all share its mode.
    """
    was_training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(was_training)
