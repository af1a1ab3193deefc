"""No decoder: the targets' heads read the encoder's own tokens."""

from __future__ import annotations

from torch import Tensor, nn

from mart_mm.models.decoders.base import DecodedTokens, Decoder
from mart_mm.registry import MODELS


@MODELS.register_module()
class LinearDecoder(Decoder):
    """The encoder's tokens, normed; the head of each target is all that follows.

    For encoders that see mask tokens (MaskFeat: Wei et al., CVPR 2022; SSAST: Gong et al., AAAI 2022).

    Args:
        in_dims: Width D of the encoder's tokens.
        grid: Not used: it has no positions.
        with_mask_token: Must be False.
        norm: Whether a layer norm comes first (MaskFeat; SSAST: False).

    Raises:
        ValueError: When the encoder says nothing about hidden tokens.
    """

    def __init__(
        self, *, in_dims: int, grid: tuple[int, ...], with_mask_token: bool, norm: bool = True
    ) -> None:
        super().__init__()
        if with_mask_token:
            raise ValueError(
                'LinearDecoder reads what the encoder says at hidden places: set mask_mode="token" '
                'and mask_stage="input" without a decoder_masker, or use TransformerDecoder'
            )
        self.dims = in_dims
        self.norm = nn.LayerNorm(in_dims, eps=1e-6) if norm else nn.Identity()

    def forward(
        self,
        tokens: Tensor,
        embed: Tensor,
        is_masked: Tensor,
        *,
        is_dropped: bool,
        index: Tensor | None = None,
        with_visible: bool = True,
    ) -> DecodedTokens:
        """All tokens in their order; see :class:`Decoder`. Nothing is dropped, there is no index."""
        return DecodedTokens(self.norm(tokens), embed=self.norm(embed))
