"""What masking and recovering needs for one stream: masker, decoder, targets."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.decoders.base import DecodedTokens
from mart_mm.models.layers.token_masking import (
    known_counts,
    remember_counts,
    visible_indices,
)
from mart_mm.models.layers.transfer import on_device
from mart_mm.models.targets.base import RecoveryContext, RecoverySpec
from mart_mm.models.targets.time_steps import time_axis
from mart_mm.registry import MODELS


class RecoveryBranch(nn.Module):
    """Masker, decoder and targets of one stream.

    Args:
        masker: Config of a masker.
        decoder: Config of a decoder.
        targets: Configs of the targets; each brings its own head and loss weight.
        stream: Geometry of the stream.
        in_dims: Width D of the backbone's tokens.
        num_classes: Emotion classes C.
        is_dropped: Whether the backbone drops hidden tokens of this stream.
        with_mask_token: Whether the decoder inserts mask tokens.
        decoder_masker: Config of a second masker, which needs no scores: what it hides is not decoded
            and takes part in no loss (VideoMAE V2's dual masking). None: all masked tokens are decoded.
    """

    def __init__(
        self,
        *,
        masker: dict,
        decoder: dict,
        targets: list[dict],
        stream: StreamSpec,
        in_dims: int,
        num_classes: int,
        is_dropped: bool,
        with_mask_token: bool,
        decoder_masker: dict | None = None,
    ) -> None:
        super().__init__()
        self.stream, self.is_dropped = stream, is_dropped
        self.masker = MODELS.build(masker)
        self.decoder_masker = decoder_masker and MODELS.build(decoder_masker)
        self.decoder = MODELS.build(
            decoder,
            default_args=dict(
                in_dims=in_dims,
                grid=stream.grid,
                with_mask_token=with_mask_token or decoder_masker is not None,
            ),
        )
        spec = RecoverySpec(stream, self.decoder.dims, num_classes)
        self.targets = nn.ModuleList(
            MODELS.build(target, default_args=dict(spec=spec)) for target in targets
        )

    @property
    def num_steps(self) -> int:
        """Time steps of a segment's tokens."""
        return self.stream.grid[time_axis(self.stream.grid)]

    @property
    def needs_step_scores(self) -> bool:
        """Whether a target reads emotion scores at the stream's time steps."""
        return any(target.needs_step_scores for target in self.targets)

    def decode(self, tokens: Tensor, embed: Tensor, is_masked: Tensor) -> DecodedTokens:
        """Features of the tokens that the targets read.

        Segments that hide nothing are left out where no target reads visible tokens and the host knows
        which they are (:func:`mart_mm.models.layers.token_masking.known_counts`).

        Args:
            tokens: (BS, N or visible, D), of the masked pass.
            embed: (BS, D), of the same pass.
            is_masked: Bool (BS, N).
        """
        with_visible = any(target.reads_visible for target in self.targets)
        rows = None if with_visible else self._masked_rows(is_masked)
        if rows is not None:
            counts = known_counts(is_masked)
            tokens, embed = tokens.index_select(0, rows), embed.index_select(0, rows)
            is_masked = remember_counts(is_masked.index_select(0, rows), [c for c in counts if c])
        index = None
        if self.decoder_masker is not None:
            # drawn on the host, which then knows the number of tokens without asking the device
            is_left_out = self.decoder_masker(None, self.stream.grid, 0.0, batch_size=len(tokens))
            index = on_device(visible_indices(is_left_out), tokens.device)
        decoded = self.decoder(
            tokens,
            embed,
            is_masked,
            is_dropped=self.is_dropped,
            index=index,
            with_visible=with_visible,
        )
        return decoded._replace(rows=rows)

    @staticmethod
    def _masked_rows(is_masked: Tensor) -> Tensor | None:
        """Which segments hide something, long (R,); None for all, for none, or where nobody knows."""
        counts = known_counts(is_masked)
        rows = [row for row, count in enumerate(counts or ()) if count]
        if not rows or len(rows) == len(is_masked):
            return None
        return on_device(torch.tensor(rows), is_masked.device)

    def loss(
        self, decoded: DecodedTokens, inputs: dict, context: RecoveryContext
    ) -> dict[str, Tensor]:
        """Losses of all targets by name; targets of one kind add up."""
        losses: dict[str, Tensor] = {}
        for target in self.targets:
            for name, value in target.loss(decoded, inputs, context).items():
                losses[name] = losses[name] + value if name in losses else value
        return losses
