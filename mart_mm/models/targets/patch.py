"""Patches of the input as recovery targets."""

from __future__ import annotations

from abc import abstractmethod
from math import prod

from torch import Tensor

from mart_mm.models.losses.reduce import global_mean
from mart_mm.models.targets.base import (
    RecoveryContext,
    RecoverySpec,
    RecoveryTarget,
    extract_patches,
    normalise,
)
from mart_mm.registry import MODELS


class PatchTarget(RecoveryTarget):
    """Mean squared error on the patches of masked tokens (paper Sec. 3.3, Euclidean distance)."""

    @abstractmethod
    def patches(self, inputs: dict) -> Tensor:
        """Target patches (BS, N, out_dims)."""

    def target(self, inputs: dict, context: RecoveryContext) -> Tensor:
        """See :class:`RecoveryTarget`."""
        return self.patches(inputs).detach()

    def predict(self, decoded: Tensor) -> Tensor:
        """Recovered patches (BS, N, out_dims)."""
        return self.head(decoded)

    def loss(self, decoded: Tensor, inputs: dict, context: RecoveryContext) -> dict[str, Tensor]:
        """``loss_patch`` over the masked tokens of segments that have the modality."""
        error = (self.predict(decoded).float() - self.target(inputs, context)).square().mean(-1)
        counts = context.is_masked & context.is_present[:, None]
        return {'loss_patch': self.loss_weight * global_mean(error, counts)}


@MODELS.register_module()
class PixelTarget(PatchTarget):
    """Pixels of a tubelet, scaled to [0, 1], normalised.

    Args:
        spec: What it is built for.
        norm: ``'per_channel'`` within each patch (VideoMAE), ``'per_patch'`` over all its values
            (MAE-ST), or None.
        loss_weight: Weight of the loss (official MART: 0.05).

    Raises:
        ValueError: For another ``norm``.
    """

    def __init__(
        self,
        spec: RecoverySpec,
        *,
        norm: str | None = 'per_channel',
        loss_weight: float = 0.05,
    ) -> None:
        if norm not in ('per_channel', 'per_patch', None):
            raise ValueError(f"norm={norm!r}: choose 'per_channel', 'per_patch' or None")
        super().__init__(spec, out_dims=3 * prod(spec.stream.patch), loss_weight=loss_weight)
        self.norm = norm

    def patches(self, inputs: dict) -> Tensor:
        """Target (BS, N, 3 * patch elements) from ``inputs['pixels']`` (B, S, 3, T, H, W), 0-255."""
        pixels = inputs['pixels'].flatten(0, 1).float() / 255
        patches = extract_patches(pixels, self.stream)  # (BS, N, elements, 3)
        if self.norm == 'per_channel':
            patches = normalise(patches, (2,))
        elif self.norm == 'per_patch':
            patches = normalise(patches, (2, 3))
        return patches.flatten(2)


@MODELS.register_module()
class FbankTarget(PatchTarget):
    """Log-mel patches (AudioMAE's target; for overlapping patches the same overlap).

    Args:
        spec: What it is built for.
        norm_patch: Normalise each patch.
        loss_weight: Weight of the loss.
    """

    def __init__(
        self,
        spec: RecoverySpec,
        *,
        norm_patch: bool = False,
        loss_weight: float = 0.05,
    ) -> None:
        super().__init__(spec, out_dims=prod(spec.stream.patch), loss_weight=loss_weight)
        self.norm_patch = norm_patch

    def patches(self, inputs: dict) -> Tensor:
        """Target (BS, M, patch elements) from ``inputs['audios']`` (B, S, F, mel bins), normalised."""
        picture = inputs['audios'].flatten(0, 1).float().transpose(1, 2)[:, None]
        patches = extract_patches(picture, self.stream)
        if self.norm_patch:
            patches = normalise(patches, (2, 3))
        return patches.flatten(2)
