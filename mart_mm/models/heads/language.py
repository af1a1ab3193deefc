"""A third classifier for what is said, beside those of picture and sound."""

from __future__ import annotations

import torch
from torch import Tensor

from mart_mm.models.backbones.mbt_language import LanguageOutput
from mart_mm.models.heads.base import STREAMS, AffectiveHead
from mart_mm.models.heads.polarity_consistent import PolarityConsistentHead
from mart_mm.registry import MODELS


def language_features(output: LanguageOutput, num_segments: int) -> dict[str, Tensor]:
    """Features (B, S, D) of picture, sound and words, and which segments have words, bool (B, S).

    Raises:
        ValueError: When the backbone was given no text.
    """
    if getattr(output, 'text_embed', None) is None:
        raise ValueError(
            'the head classifies words and the backbone gave none: use a backbone with text '
            "(MBTWithLanguage, TFNBackbone) and data_preprocessor.type='LanguageDataPreprocessor'"
        )
    features = AffectiveHead.segment_features(output, num_segments)
    for name in ('text_embed', 'text_is_valid'):
        values = getattr(output, name).unflatten(0, (-1, num_segments))
        features[name.removesuffix('_embed')] = values
    return features


@MODELS.register_module()
class LanguageHead(PolarityConsistentHead):
    """:class:`PolarityConsistentHead` with a third stream, ``'text'``.

    Segments without words take no part in the text's pooling and have no text logits.
    """

    streams = (*STREAMS, 'text')

    @staticmethod
    def segment_features(output: LanguageOutput, num_segments: int) -> dict[str, Tensor]:
        """See :func:`language_features`."""
        return language_features(output, num_segments)

    def pool_valid(self, features: Tensor, is_valid: Tensor) -> Tensor:
        """Segments that are valid to a video: (B, S, D), bool (B, S) -> (B, D); zero without any."""
        is_valid = is_valid[..., None]
        if self.pool_type == 'max':
            pooled = features.masked_fill(~is_valid, float('-inf')).amax(1)
            return torch.where(is_valid.any(1), pooled, torch.zeros_like(pooled))
        return (features * is_valid).sum(1) / is_valid.sum(1).clamp(min=1)

    def forward(
        self, features: dict[str, Tensor], present: dict[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Video logits (B, C) of each stream."""
        logits = {n: self.classifiers[n](self.pool(features[n])) for n in STREAMS}
        text = self.pool_valid(features['text'], features['text_is_valid'])
        return logits | {'text': self.classifiers['text'](text)}

    def segment_logits(
        self, features: dict[str, Tensor], present: dict[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Logits (B, S, C) of each stream; zero for the text of segments without words."""
        logits = super().segment_logits(features)
        logits['text'] = logits['text'] * features['text_is_valid'][..., None]
        return logits
