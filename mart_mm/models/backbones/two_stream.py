"""Any visual encoder beside any audio encoder, behind the contract of MBT."""

from __future__ import annotations

from torch import Tensor

from mart_mm.models.backbones.base import AffectiveBackbone, BackboneOutput
from mart_mm.registry import MODELS


@MODELS.register_module()
class TwoStreamBackbone(AffectiveBackbone):
    """Two encoders that meet only in the head (late fusion).

    This is how a backbone of mmaction2 or mmpretrain becomes one that every pretext can teach: wrap
    it in a ``FeatureMapStream``. Streams that can drop tokens do; the others mask their feature map.

    Args:
        visual: Config of a stream encoder.
        audio: Config of a stream encoder.
        init_cfg: MMEngine's initialisation config.
    """

    def __init__(self, *, visual: dict, audio: dict, init_cfg: dict | None = None) -> None:
        super().__init__(MODELS.build(visual), MODELS.build(audio), init_cfg)

    def forward(
        self,
        imgs: Tensor,
        audios: Tensor,
        *,
        present: dict[str, Tensor] | None = None,
        visual_is_masked: Tensor | None = None,
        audio_is_masked: Tensor | None = None,
        mask_mode: str = 'drop',
        return_attention: bool = False,
    ) -> BackboneOutput:
        """Encode videos; see :class:`AffectiveBackbone`. ``present`` changes nothing: no fusion."""
        visual = self.visual(
            imgs.flatten(0, 1),
            is_masked=visual_is_masked,
            mask_mode=mask_mode,
            return_attention=return_attention,
        )
        audio = self.audio(
            audios.flatten(0, 1),
            is_masked=audio_is_masked,
            mask_mode=mask_mode,
            return_attention=return_attention,
        )
        return BackboneOutput(
            visual.tokens,
            audio.tokens,
            visual.embed,
            audio.embed,
            self.visual.spec.grid,
            self.audio.spec.grid,
            visual.attention,
            audio.attention,
        )
