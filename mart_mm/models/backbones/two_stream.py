"""Any visual encoder beside any audio encoder, behind the contract of MBT."""

from __future__ import annotations

import torch
from torch import Tensor

from mart_mm.models.backbones.base import (
    AffectiveBackbone,
    BackboneOutput,
    StreamEncoder,
    StreamOutput,
    join_streams,
)
from mart_mm.models.layers.modes import evaluating
from mart_mm.models.layers.present import for_segments, is_traced, zero_absent
from mart_mm.registry import MODELS


@MODELS.register_module()
class TwoStreamBackbone(AffectiveBackbone):
    """Two encoders that meet only in the head (late fusion).

    This is how a backbone of mmaction2 or mmpretrain becomes one that every pretext can teach: wrap
    it in a ``FeatureMapStream``. Streams that can drop tokens do; the others mask their feature map.

    A stream encodes only the videos that have its modality, so that silent ones do not enter the
    statistics of batch norms; the output of absent ones is zero.

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
        """Encode videos; see :class:`AffectiveBackbone`."""
        outputs = {}
        for name, x, is_masked in (
            ('visual', imgs, visual_is_masked),
            ('audio', audios, audio_is_masked),
        ):
            is_present = None if present is None else for_segments(present[name], x.shape[1])
            outputs[name] = encode_present(
                getattr(self, name),
                x.flatten(0, 1),
                is_present,
                is_masked,
                mask_mode=mask_mode,
                return_attention=return_attention,
            )
        return join_streams(outputs, self)


def encode_present(
    stream: StreamEncoder,
    x: Tensor,
    is_present: Tensor | None,
    is_masked: Tensor | None,
    **kwargs: object,
) -> StreamOutput:
    """Encode the segments that have a modality; zeros stand for the others.

    Args:
        stream: The encoder.
        x: (BS, ...), its input.
        is_present: Bool (BS,), or None for all.
        is_masked: Bool (BS, N) or None.
        kwargs: Of the encoder.
    """
    if is_present is not None and is_traced(stream):
        output = stream(x, is_masked=is_masked, **kwargs)
        return StreamOutput(
            *(None if value is None else zero_absent(value, is_present) for value in output)
        )
    if is_present is None or bool(is_present.all()):
        return stream(x, is_masked=is_masked, **kwargs)
    rows = is_present.nonzero()[:, 0]
    if len(rows):
        part = stream(x[rows], is_masked=None if is_masked is None else is_masked[rows], **kwargs)
    else:  # one segment tells the shapes
        with evaluating(stream), torch.no_grad():
            part = stream(x[:1], is_masked=None if is_masked is None else is_masked[:1], **kwargs)
        part = StreamOutput(*(None if value is None else value[:0] for value in part))

    def spread(values: Tensor | None) -> Tensor | None:
        if values is None:
            return None
        return values.new_zeros(len(x), *values.shape[1:]).index_copy(0, rows, values)

    return StreamOutput(*(spread(values) for values in part))
