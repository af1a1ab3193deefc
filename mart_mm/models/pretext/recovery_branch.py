"""What masking and recovering needs for one stream: masker, decoder, targets."""

from __future__ import annotations

from torch import Tensor, nn

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.targets.base import RecoveryContext, RecoverySpec
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
    ) -> None:
        super().__init__()
        self.stream, self.is_dropped = stream, is_dropped
        self.masker = MODELS.build(masker)
        self.decoder = MODELS.build(
            decoder,
            default_args=dict(
                in_dims=in_dims, num_tokens=stream.num_tokens, with_mask_token=with_mask_token
            ),
        )
        spec = RecoverySpec(stream, self.decoder.dims, num_classes)
        self.targets = nn.ModuleList(
            MODELS.build(target, default_args=dict(spec=spec)) for target in targets
        )

    def decode(self, tokens: Tensor, is_masked: Tensor) -> Tensor:
        """Features (BS, N, width) of all tokens from those of the masked pass."""
        return self.decoder(tokens, is_masked, is_dropped=self.is_dropped)

    def loss(self, decoded: Tensor, inputs: dict, context: RecoveryContext) -> dict[str, Tensor]:
        """Losses of all targets by name; targets of one kind add up."""
        losses: dict[str, Tensor] = {}
        for target in self.targets:
            for name, value in target.loss(decoded, inputs, context).items():
                losses[name] = losses[name] + value if name in losses else value
        return losses
