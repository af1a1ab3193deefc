"""Hierarchical lexicon verification: does the video say what the word says?"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mart_mm.models.layers.modes import full_precision
from mart_mm.registry import MODELS


@MODELS.register_module()
class LexiconVerifier(nn.Module):
    """Levels E1 (sentiment), E2 (emotion), E3 (degree) of paper Sec. 3.2.

    A word that no mood maps to a class, and a segment whose emotion no word of the lexicon can name,
    have no emotion to compare: there E2 and E3 fall back to E1.

    Args:
        threshold: Largest difference of degree that passes E3 (the paper's tau there).
    """

    def __init__(self, *, threshold: float = 0.5) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(self, distribution: Tensor, polarity: Tensor, cues: dict[str, Tensor]) -> Tensor:
        """Highest level that each word passes.

        Args:
            distribution: (B, S, C), the segments' emotion distribution.
            polarity: Long (C,), polarity in {-1, 0, 1} of each class.
            cues: ``polarity`` (B, S, K), ``emotion`` (B, S, K, C) degrees, ``emotion_class``
                (B, S, K) with -1 for none, ``class_has_words`` (B, C).

        Returns:
            Long (B, S, K): 0 in the lexicon only, 1 to 3 passed E1 to E3.
        """
        video_class = distribution.argmax(-1)  # (B, S)
        same_sentiment = cues['polarity'] == self.sentiment(distribution, polarity)[..., None]

        word_class = cues['emotion_class']
        can_name = cues['class_has_words'].gather(1, video_class)  # (B, S)
        has_emotion = (word_class >= 0) & can_name[..., None]
        same_emotion = word_class == video_class[..., None]

        index = word_class.clamp(min=0)
        word_degree = cues['emotion'].gather(-1, index[..., None])[..., 0]  # (B, S, K)
        video_degree = distribution.gather(-1, index)  # (B, S, K)
        same_degree = (word_degree - video_degree).abs() < self.threshold

        e1 = same_sentiment
        e2 = e1 & (same_emotion | ~has_emotion)
        e3 = e2 & (same_degree | ~has_emotion)
        return e1.long() + e2.long() + e3.long()

    @staticmethod
    def sentiment(distribution: Tensor, polarity: Tensor) -> Tensor:
        """The polarity with the largest mass, long (B, S); ties go to the more negative one."""
        values = torch.arange(-1, 2, device=distribution.device)
        member = (polarity[:, None] == values).to(distribution.dtype)  # (C, 3)
        with full_precision(distribution.device):
            mass = distribution @ member
        return values[mass.argmax(-1)]
