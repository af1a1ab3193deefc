"""Features of a frozen CLIP as recovery target (MILAN: Hou et al., 2022)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mart_mm.models.decoders.base import DecodedTokens
from mart_mm.models.layers.frozen_clip import FrozenCLIP, first_frames, pool_to_grid
from mart_mm.models.losses.reduce import global_mean
from mart_mm.models.targets.base import RecoveryContext, RecoverySpec, RecoveryTarget
from mart_mm.models.targets.patch import check_frames
from mart_mm.registry import MODELS


@MODELS.register_module()
class CLIPTarget(RecoveryTarget):
    """CLIP's features of a tubelet's first frame, by ``2 - 2 cos``.

    They are taken after CLIP's output projection and averaged over the patches of CLIP that a token
    covers.

    Args:
        spec: What it is built for.
        clip: Arguments of :class:`mart_mm.models.layers.frozen_clip.FrozenCLIP`.
        all_tokens: Whether visible tokens count too, and the segment as a whole where the decoder
            keeps it (MILAN; its target is CLIP's class token, the mean over tubelets). False: masked
            tokens only.
        loss_weight: Weight of the loss.

    Raises:
        ValueError: For a stream without frames.
    """

    def __init__(
        self,
        spec: RecoverySpec,
        *,
        clip: dict | None = None,
        all_tokens: bool = False,
        loss_weight: float = 1.0,
    ) -> None:
        check_frames(self, spec.stream)
        encoder = FrozenCLIP(**clip or {})
        super().__init__(spec, out_dims=encoder.dims, loss_weight=loss_weight)
        self.clip, self.reads_visible = encoder, all_tokens

    @torch.no_grad()
    def features(self, inputs: dict) -> tuple[Tensor, Tensor]:
        """CLIP's features of the tokens (BS, N, dims) and of the segments (BS, dims).

        Raises:
            OSError: When CLIP cannot be loaded.
        """
        found = self.clip(first_frames(inputs['pixels'], self.stream))
        tokens = pool_to_grid(found.features[:, 1:], found.grid, self.stream)
        segments = found.features[:, 0].unflatten(0, (-1, self.stream.grid[0])).mean(1)
        return tokens, segments

    def target(self, inputs: dict, context: RecoveryContext) -> Tensor:
        """The tokens' part of :meth:`features`, (BS, N, dims)."""
        return self.features(inputs)[0]

    def predict(self, decoded: DecodedTokens) -> Tensor:
        """Recovered features (BS, n, dims) of the n tokens decoded."""
        return self.head(decoded.features)

    def loss(
        self, decoded: DecodedTokens, inputs: dict, context: RecoveryContext
    ) -> dict[str, Tensor]:
        """``loss_clip``, the mean distance over the tokens that count."""
        tokens, segments = self.features(inputs)
        if not self.reads_visible:
            decoded = decoded.hidden()
        distance = _distance(self.predict(decoded), decoded.pick(tokens))  # (BS, n)
        if self.reads_visible:
            if decoded.embed is not None:
                whole = _distance(self.head(decoded.embed), segments)
                distance = torch.cat([distance, whole[:, None]], 1)
            counts = context.is_present[:, None].expand_as(distance)
        else:
            is_present = decoded.pick_segments(context.is_present)
            counts = decoded.pick(context.is_masked) & is_present[:, None]
        return {'loss_clip': self.loss_weight * global_mean(distance, counts)}


def _distance(predicted: Tensor, target: Tensor) -> Tensor:
    """``2 - 2 cos`` along the last axis, in float32."""
    return 2 - 2 * F.cosine_similarity(predicted.float(), target.float(), dim=-1)
