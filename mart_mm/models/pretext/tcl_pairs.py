"""Videos and what is said in them, encoded to be contrasted."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mart_mm.models.heads.polarity_consistent import STREAMS
from mart_mm.models.pretext.tcl_text import FusionBert
from mart_mm.models.pretext.tcl_words import WordTokens


class EncodedPairs(NamedTuple):
    """Videos and texts as one of the two encoders, trained or momentum, sees them.

    Attributes:
        segments: (B, 2S, D), the segments' visual features, then their audio features.
        is_present: Bool (B, 2S), which of these exist; all, where none does.
        states: (B, L, Dt), the text's tokens.
        video: (B, dims), unit vectors.
        video_parts: (B, S, dims), unit vectors, of the segments.
        text: (B, dims), unit vectors.
        text_parts: (B, L - 1, dims), unit vectors, of the tokens behind the first.
    """

    segments: Tensor
    is_present: Tensor
    states: Tensor
    video: Tensor
    video_parts: Tensor
    text: Tensor
    text_parts: Tensor


def encode_pairs(
    view: dict,
    tokens: WordTokens,
    backbone: nn.Module,
    text: FusionBert,
    projectors: nn.ModuleDict,
) -> EncodedPairs:
    """What one of the two encoders makes of a view and of the texts.

    Args:
        view: ``imgs``, ``audios`` and ``present`` as in the inputs.
        tokens: Of the texts.
        backbone: Two-stream backbone.
        text: Encoder of texts.
        projectors: ``video`` and ``text``.
    """
    output = backbone(view['imgs'], view['audios'], present=view['present'])
    num_segments = view['imgs'].shape[1]
    streams = torch.stack(
        [getattr(output, f'{name}_embed').unflatten(0, (-1, num_segments)) for name in STREAMS],
        dim=1,
    )  # (B, 2, S, D)
    present = torch.stack([view['present'][name] for name in STREAMS], dim=1)  # (B, 2)
    weight = present[:, :, None, None].to(streams.dtype)
    parts = (streams * weight).sum(1) / weight.sum(1).clamp(min=1)  # (B, S, D)
    is_seen = present | ~present.any(1, keepdim=True)
    states = text.read(tokens.ids, tokens.is_valid)

    def project(name: str, x: Tensor) -> Tensor:
        return F.normalize(projectors[name](x).float(), dim=-1)

    return EncodedPairs(
        streams.flatten(1, 2),
        is_seen.repeat_interleave(num_segments, dim=1),
        states,
        project('video', parts.mean(1)),
        project('video', parts),
        project('text', states[:, 0]),
        project('text', states[:, 1:]),
    )
