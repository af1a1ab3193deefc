"""Patches of the input as recovery targets."""

from __future__ import annotations

from abc import abstractmethod
from math import prod

import torch
from torch import Tensor

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.decoders.base import DecodedTokens
from mart_mm.models.losses.reduce import global_mean
from mart_mm.models.targets.base import (
    RecoveryContext,
    RecoverySpec,
    RecoveryTarget,
    extract_patches,
    mean_squared_error,
    normalise,
)
from mart_mm.registry import MODELS


class PatchTarget(RecoveryTarget):
    """Mean squared error on the patches of masked tokens (paper Sec. 3.3, Euclidean distance).

    Attributes:
        loss_name: Key of the loss.
    """

    loss_name = 'loss_patch'

    @abstractmethod
    def raw_patches(self, inputs: dict) -> Tensor:
        """What :meth:`finish` makes target patches of, (BS, N, ...)."""

    def finish(self, raw: Tensor) -> Tensor:
        """Target patches, float32 (BS, n, out_dims), of those that count."""
        return raw.float().flatten(2)

    def patches(self, inputs: dict, decoded: DecodedTokens | None = None) -> Tensor:
        """Target patches (BS, N, out_dims), or only those of the n tokens decoded."""
        raw = self.raw_patches(inputs)
        return self.finish(raw if decoded is None else decoded.pick(raw))

    def target(self, inputs: dict, context: RecoveryContext) -> Tensor:
        """See :class:`RecoveryTarget`."""
        return self.patches(inputs).detach()

    def predict(self, decoded: DecodedTokens) -> Tensor:
        """Recovered patches (BS, n, out_dims) of the n tokens decoded."""
        return self.head(decoded.features)

    def loss(
        self, decoded: DecodedTokens, inputs: dict, context: RecoveryContext
    ) -> dict[str, Tensor]:
        """The loss over the masked tokens, as far as decoded, of segments that have the modality."""
        decoded = decoded.hidden()
        target = self.patches(inputs, decoded).detach()
        error = mean_squared_error(self.predict(decoded), target)
        counts = (
            decoded.pick(context.is_masked) & decoded.pick_segments(context.is_present)[:, None]
        )
        return {self.loss_name: self.loss_weight * global_mean(error, counts)}


@MODELS.register_module()
class PixelTarget(PatchTarget):
    """Pixels of a tubelet, scaled to [0, 1], normalised.

    Args:
        spec: What it is built for.
        norm: ``'per_channel'`` within each patch (VideoMAE), ``'per_patch'`` over all its values
            (MAE-ST), or None.
        frames: ``'all'`` of the tubelet (VideoMAE), or ``'first'``: one frame per tubelet (MAE-ST), of
            places evenly spread from the first to the last frame and rounded down: 0, 2, 4, 6, 8, 10,
            12, 15 of 16.
        loss_weight: Weight of the loss (official MART: 0.05).

    Raises:
        ValueError: For another ``norm``, other ``frames``, or a stream without frames.
    """

    def __init__(
        self,
        spec: RecoverySpec,
        *,
        norm: str | None = 'per_channel',
        frames: str = 'all',
        loss_weight: float = 0.05,
    ) -> None:
        if norm not in ('per_channel', 'per_patch', None):
            raise ValueError(f"norm={norm!r}: choose 'per_channel', 'per_patch' or None")
        if frames not in ('all', 'first'):
            raise ValueError(f"frames={frames!r}: choose 'all' or 'first'")
        check_frames(self, spec.stream)
        cut = one_frame(spec.stream) if frames == 'first' else spec.stream
        super().__init__(spec, out_dims=3 * prod(cut.patch), loss_weight=loss_weight)
        self.norm, self.cut = norm, cut
        index = None
        if frames == 'first':
            index = torch.linspace(0, spec.stream.input_shape[0] - 1, spec.stream.grid[0]).long()
        self.register_buffer('frame_index', index, persistent=False)

    def raw_patches(self, inputs: dict) -> Tensor:
        """(BS, N, 3, elements) from ``inputs['pixels']`` (B, S, 3, T, H, W), 0-255."""
        pixels = inputs['pixels'].flatten(0, 1)
        if self.frame_index is not None:
            pixels = pixels.index_select(2, self.frame_index)
        return extract_patches(pixels, self.cut)

    def finish(self, raw: Tensor) -> Tensor:
        """Normalised, channels last within a patch: (BS, n, 3 * elements)."""
        patches = raw / 255
        if self.norm == 'per_channel':
            patches = normalise(patches, (3,), eps_on='std')
        elif self.norm == 'per_patch':
            patches = normalise(patches, (2, 3), eps_on='variance')
        return patches.transpose(2, 3).flatten(2)


def check_frames(target: RecoveryTarget, stream: StreamSpec) -> None:
    """Refuse streams that are not of frames.

    Raises:
        ValueError: For another grid than (t, h, w).
    """
    if len(stream.grid) != 3:
        raise ValueError(
            f'{type(target).__name__} recovers frames, and the stream has the grid {stream.grid}: '
            'use it for the visual stream of an encoder of frames'
        )


def one_frame(stream: StreamSpec) -> StreamSpec:
    """The geometry of a stream of which one frame per tubelet is left."""
    return StreamSpec(
        (stream.grid[0], *stream.input_shape[1:]),
        stream.grid,
        (1, *stream.patch[1:]),
        (1, *stream.stride[1:]),
    )


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

    def raw_patches(self, inputs: dict) -> Tensor:
        """(BS, M, 1, elements) from ``inputs['audios']`` (B, S, F, mel bins), normalised."""
        picture = inputs['audios'].flatten(0, 1).float().transpose(1, 2)[:, None]
        return extract_patches(picture, self.stream)

    def finish(self, raw: Tensor) -> Tensor:
        """(BS, n, elements)."""
        if self.norm_patch:
            raw = normalise(raw, (2, 3), eps_on='variance')
        return raw.flatten(2)
