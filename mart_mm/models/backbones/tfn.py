"""The backbone of TFN: two convolutional streams, and the words' features as they are."""

from __future__ import annotations

from torch import Tensor

from mart_mm.models.backbones.mbt_language import LanguageOutput, segment_text
from mart_mm.models.backbones.two_stream import TwoStreamBackbone
from mart_mm.registry import MODELS


@MODELS.register_module()
class TFNBackbone(TwoStreamBackbone):
    """:class:`TwoStreamBackbone` that hands the segments' text features on to the head.

    Args:
        visual: Config of a stream encoder.
        audio: Config of a stream encoder.
        init_cfg: MMEngine's initialisation config.
    """

    #: the recogniser gives it ``cues``
    needs_text = True

    def forward(
        self,
        imgs: Tensor,
        audios: Tensor,
        *,
        cues: dict[str, Tensor] | None = None,
        **kwargs: object,
    ) -> LanguageOutput:
        """Encode videos; see :class:`AffectiveBackbone` and :class:`MBTWithLanguage`."""
        output = super().forward(imgs, audios, **kwargs)
        if cues is None:
            return LanguageOutput(*output)
        return LanguageOutput(*output, *segment_text(cues))
