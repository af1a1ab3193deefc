"""The contract of a transform."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Transform(ABC):
    """One step of a pipeline: takes the record's dict, returns it changed.

    All randomness comes from ``results['rng']``.
    """

    def __call__(self, results: dict) -> dict:
        """Apply the step; MMEngine's pipelines call this."""
        return self.transform(results)

    @abstractmethod
    def transform(self, results: dict) -> dict:
        """Apply the step."""
