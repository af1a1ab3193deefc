"""The contract of a recovery target, and the cutting of inputs into patches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mart_mm.models.backbones.base import StreamSpec


@dataclass(frozen=True)
class RecoverySpec:
    """What a target is built for.

    Attributes:
        stream: Geometry of the stream.
        in_dims: Width of the decoder's features.
        num_classes: Emotion classes C.
    """

    stream: StreamSpec
    in_dims: int
    num_classes: int


class RecoveryContext(NamedTuple):
    """What a target may need beside the inputs, for ``BS`` segments of one stream.

    Attributes:
        is_masked: Bool (BS, N).
        is_present: Bool (BS,), segments of videos that have this modality.
        distribution: (BS, C), the segment's emotion distribution of the unmasked pass, detached.
    """

    is_masked: Tensor
    is_present: Tensor
    distribution: Tensor


class RecoveryTarget(nn.Module, ABC):
    """Something to recover from the decoder's features, with its own linear head and loss.

    Args:
        spec: What it is built for.
        out_dims: Width of the prediction.
        loss_weight: Weight of the loss.
    """

    def __init__(self, spec: RecoverySpec, *, out_dims: int, loss_weight: float) -> None:
        super().__init__()
        self.stream, self.loss_weight = spec.stream, loss_weight
        self.head = nn.Linear(spec.in_dims, out_dims)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    @abstractmethod
    def target(self, inputs: dict, context: RecoveryContext) -> Tensor:
        """What to recover, without gradient: (BS, N, out_dims) or (BS, out_dims)."""

    @abstractmethod
    def predict(self, decoded: Tensor) -> Tensor:
        """What is recovered from the decoder's features (BS, N, in_dims), shaped as the target."""

    @abstractmethod
    def loss(self, decoded: Tensor, inputs: dict, context: RecoveryContext) -> dict[str, Tensor]:
        """Weighted loss by name (without stream), from the decoder's features (BS, N, in_dims)."""


def extract_patches(x: Tensor, spec: StreamSpec) -> Tensor:
    """Cut inputs into the patches that the tokens stand for.

    Where the grid times the patch exceeds the input (feature maps whose encoder pads), the input is
    first resized to fit.

    Args:
        x: (BS, channels, *spec.input_shape).
        spec: Geometry of the stream.

    Returns:
        (BS, N, elements of a patch, channels).
    """
    needed = [(g - 1) * s + p for g, s, p in zip(spec.grid, spec.stride, spec.patch, strict=True)]
    if any(n > extent for n, extent in zip(needed, x.shape[2:], strict=True)):
        mode = 'trilinear' if x.ndim == 5 else 'bilinear'
        x = F.interpolate(x, size=needed, mode=mode, align_corners=False)
    axes = len(spec.grid)
    for axis in range(axes):
        x = x.unfold(2 + axis, spec.patch[axis], spec.stride[axis])
    x = x[(slice(None), slice(None), *(slice(g) for g in spec.grid))]
    x = x.flatten(2, 1 + axes).flatten(3)  # (BS, channels, N, elements)
    return x.permute(0, 2, 3, 1)


def normalise(patches: Tensor, dims: tuple[int, ...]) -> Tensor:
    """Zero mean and unit (unbiased) standard deviation over ``dims``; std + 1e-6 as in VideoMAE."""
    std, mean = torch.std_mean(patches, dim=dims, keepdim=True)
    return (patches - mean) / (std + 1e-6)
