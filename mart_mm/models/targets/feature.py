"""Precomputed features as recovery targets."""

from __future__ import annotations

from torch import Tensor

from mart_mm.models.targets.base import RecoverySpec
from mart_mm.models.targets.patch import PatchTarget
from mart_mm.registry import MODELS

_INPUTS = dict(visual='imgs', audio='audios')


@MODELS.register_module()
class FeatureTarget(PatchTarget):
    """The normalised feature vectors of masked tokens, by mean squared error.

    Args:
        spec: What it is built for.
        modality: ``'visual'`` or ``'audio'``.
        dims: Width of the features.
        loss_weight: Weight of the loss.

    Raises:
        ValueError: For another modality; from ``loss``, for features of another shape.
    """

    def __init__(
        self, spec: RecoverySpec, *, modality: str, dims: int, loss_weight: float = 1.0
    ) -> None:
        if modality not in _INPUTS:
            raise ValueError(f'modality={modality!r}: choose one of {list(_INPUTS)}')
        super().__init__(spec, out_dims=dims, loss_weight=loss_weight)
        self.input, self.shape = _INPUTS[modality], (spec.stream.num_tokens, dims)

    def raw_patches(self, inputs: dict) -> Tensor:
        """(BS, N, dims), the normalised features (B, S, N, dims)."""
        features = inputs[self.input].flatten(0, 1).float()
        if tuple(features.shape[1:]) != self.shape:
            raise ValueError(
                f"inputs['{self.input}'] are {tuple(features.shape[1:])} (tokens, dims) a segment, "
                f'FeatureTarget is built for {self.shape}: check its modality and dims'
            )
        return features
