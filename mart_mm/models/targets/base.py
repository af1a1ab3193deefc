"""The contract of a recovery target, and the cutting of inputs into patches."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.decoders.base import DecodedTokens
from mart_mm.models.layers.patches import cut_patches
from mart_mm.models.layers.transformer import init_transformer


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
        scores: (B, S, C), temporal emotion scores of the unmasked pass (D of paper Eq. 3 over its
            temperature), detached; their softmax is the emotion distribution. None for pretexts
            without it.
        step_scores: (B, S, steps, C), the same at the stream's time steps; None unless a target
            needs it.
        has_scores: Bool (BS,), segments whose emotion scores are known; None: all.
    """

    is_masked: Tensor
    is_present: Tensor
    scores: Tensor | None = None
    step_scores: Tensor | None = None
    has_scores: Tensor | None = None


class RecoveryTarget(nn.Module, ABC):
    """Something to recover from the decoder's features, with its own head and loss.

    Args:
        spec: What it is built for.
        out_dims: Width of the prediction.
        loss_weight: Weight of the loss.

    Attributes:
        reads_visible: Whether it reads the features of visible tokens, too. Otherwise they need not
            be decoded.
        needs_step_scores: Whether it reads the context's ``step_scores``.
    """

    reads_visible = False
    needs_step_scores = False

    def __init__(self, spec: RecoverySpec, *, out_dims: int, loss_weight: float) -> None:
        super().__init__()
        self.stream, self.loss_weight = spec.stream, loss_weight
        self.head = self.build_head(spec.in_dims, out_dims)
        self.head.apply(init_transformer)

    def build_head(self, in_dims: int, out_dims: int) -> nn.Module:
        """What turns the decoder's features into predictions: a linear layer."""
        return nn.Linear(in_dims, out_dims)

    @abstractmethod
    def target(self, inputs: dict, context: RecoveryContext) -> Tensor:
        """What to recover, float32 and without gradient: (BS, N, out_dims) or by time step."""

    @abstractmethod
    def predict(self, decoded: DecodedTokens) -> Tensor:
        """What is recovered, for the n tokens decoded (BS, n, out_dims) or by time step."""

    @abstractmethod
    def loss(
        self, decoded: DecodedTokens, inputs: dict, context: RecoveryContext
    ) -> dict[str, Tensor]:
        """Weighted loss by name (without stream)."""


def extract_patches(x: Tensor, spec: StreamSpec) -> Tensor:
    """Cut inputs into the patches that the tokens stand for.

    Where the grid times the patch exceeds the input (feature maps whose encoder pads), the input is
    first resized to fit.

    Args:
        x: (BS, channels, *spec.input_shape).
        spec: Geometry of the stream.

    Returns:
        (BS, N, channels, elements of a patch), of the input's type where it is not resized.
    """
    needed = [(g - 1) * s + p for g, s, p in zip(spec.grid, spec.stride, spec.patch, strict=True)]
    if any(n > extent for n, extent in zip(needed, x.shape[2:], strict=True)):
        mode = 'trilinear' if x.ndim == 5 else 'bilinear'
        x = F.interpolate(x.float(), size=needed, mode=mode, align_corners=False)
    return cut_patches(x, spec.grid, spec.patch, spec.stride)


def normalise(patches: Tensor, dims: tuple[int, ...], *, eps_on: str) -> Tensor:
    """Zero mean and unit (unbiased) standard deviation over ``dims``, in float32.

    Args:
        patches: Any shape.
        dims: Axes to normalise over.
        eps_on: Where 1e-6 guards against flat patches: ``'std'`` (VideoMAE) or ``'variance'`` (MAE,
            MAE-ST, AudioMAE).
    """
    patches = patches.float()
    centred = patches - patches.mean(dims, keepdim=True)
    # several times faster than torch.var on CPU
    norm = torch.linalg.vector_norm(centred, dim=dims, keepdim=True)
    std = norm / math.sqrt(math.prod(patches.shape[dim] for dim in dims) - 1)
    return centred / (std + 1e-6 if eps_on == 'std' else (std.square() + 1e-6).sqrt())


def mean_squared_error(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean over the last axis of the squared differences, in float32: (..., dims) -> (...).

    By way of the norm, whose gradient is one pass over the differences.
    """
    difference = predicted.float() - target
    return torch.linalg.vector_norm(difference, dim=-1).square() / target.shape[-1]
