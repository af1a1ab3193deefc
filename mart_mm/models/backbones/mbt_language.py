"""MBT with a third stream: what is said."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from mart_mm.models.backbones.base import BackboneOutput
from mart_mm.models.backbones.mbt import MBT
from mart_mm.registry import MODELS


class LanguageOutput(NamedTuple):
    """:class:`BackboneOutput` with what is said in each of ``BS`` segments.

    Attributes:
        visual_tokens: As there.
        audio_tokens: As there.
        visual_embed: As there.
        audio_embed: As there.
        visual_grid: As there.
        audio_grid: As there.
        visual_attention: As there.
        audio_attention: As there.
        text_embed: (BS, D) or (BS, Dl), zero for segments without words; None where no text was given.
        text_is_valid: Bool (BS,), segments that have words; None likewise.
    """

    visual_tokens: Tensor
    audio_tokens: Tensor
    visual_embed: Tensor
    audio_embed: Tensor
    visual_grid: tuple[int, ...]
    audio_grid: tuple[int, ...]
    visual_attention: Tensor | None = None
    audio_attention: Tensor | None = None
    text_embed: Tensor | None = None
    text_is_valid: Tensor | None = None


def segment_text(cues: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """What is said in a segment: the mean of its cues' frozen features.

    Args:
        cues: ``features`` (B, S, K, Dl) and ``valid`` bool (B, S, K).

    Returns:
        Features (BS, Dl), zero for segments without cues, and which segments have one, bool (BS,).
    """
    valid = cues['valid'].flatten(0, 1)  # (BS, K)
    weight = valid.to(cues['features'].dtype)
    total = torch.einsum('nkd,nk->nd', cues['features'].flatten(0, 1), weight)
    return total / weight.sum(1, keepdim=True).clamp(min=1), valid.any(1)


@MODELS.register_module()
class MBTWithLanguage(MBT):
    """MBT, and a linear layer with tanh (BERT's pooler) on the frozen text features of a segment.

    The text meets the other streams in the head only, as in MART's code. Hidden tokens never
    concern it.

    Args:
        visual: See :class:`MBT`.
        audio: See :class:`MBT`.
        text_dims: Width Dl of the text encoder's features.
        num_bottlenecks: See :class:`MBT`.
        fusion_layer: See :class:`MBT`.
        init_cfg: MMEngine's initialisation config.
    """

    #: the recogniser gives it ``cues``
    needs_text = True

    def __init__(
        self,
        *,
        visual: dict,
        audio: dict,
        text_dims: int,
        num_bottlenecks: int = 32,
        fusion_layer: int = 8,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            visual=visual,
            audio=audio,
            num_bottlenecks=num_bottlenecks,
            fusion_layer=fusion_layer,
            init_cfg=init_cfg,
        )
        self.text = nn.Linear(text_dims, self.embed_dims)

    def forward(
        self,
        imgs: Tensor,
        audios: Tensor,
        *,
        cues: dict[str, Tensor] | None = None,
        **kwargs: object,
    ) -> LanguageOutput:
        """Encode videos; see :class:`AffectiveBackbone`.

        Args:
            imgs: As there.
            audios: As there.
            cues: Cues with ``features`` (B, S, K, Dl); None leaves the text out.
            kwargs: As there.

        Raises:
            ValueError: When the features are not ``text_dims`` wide.
        """
        output: BackboneOutput = super().forward(imgs, audios, **kwargs)
        if cues is None:
            return LanguageOutput(*output)
        features, is_valid = segment_text(cues)
        if features.shape[-1] != self.text.in_features:
            raise ValueError(
                f'cues have {features.shape[-1]} features: set backbone.text_dims to the dims of '
                'data_preprocessor.text_encoder'
            )
        embed = torch.tanh(self.text(features)) * is_valid[:, None]
        return LanguageOutput(*output, embed, is_valid)
