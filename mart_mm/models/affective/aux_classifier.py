"""Classifier on lexicon-aware features, an extra of the official code."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mart_mm.models.affective.lexicon_attention import LexiconAware
from mart_mm.models.heads.polarity_consistent import STREAMS
from mart_mm.models.losses.pcce import polarity_consistent_cross_entropy
from mart_mm.models.losses.reduce import global_mean
from mart_mm.registry import MODELS


@MODELS.register_module()
class LexiconAwareClassifier(nn.Module):
    """An MLP per stream classifies a video from the mean of its lexicon-aware features.

    Not in the paper; the official code adds it with weight 1. Videos without words do not count.

    Args:
        dims: Width D of the features.
        num_classes: Emotion classes C.
        penalty: As in the head's polarity-consistent loss.
        loss_weight: Weight of the loss.
    """

    def __init__(
        self, *, dims: int, num_classes: int, penalty: float = 0.5, loss_weight: float = 1.0
    ) -> None:
        super().__init__()
        self.penalty, self.loss_weight = penalty, loss_weight
        self.classifiers = nn.ModuleDict(
            {
                name: nn.Sequential(nn.Linear(dims, dims), nn.ReLU(), nn.Linear(dims, num_classes))
                for name in STREAMS
            }
        )

    def forward(
        self,
        aware: dict[str, LexiconAware],
        is_valid: Tensor,
        labels: Tensor,
        polarity: Tensor,
        present: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        """Losses of both streams.

        Args:
            aware: Lexicon-aware features by stream, (BS, K, .).
            is_valid: Bool (B, S, K).
            labels: Long (B,).
            polarity: Long (C,).
            present: Bool (B,) by modality.

        Returns:
            ``loss_aux_visual`` and ``loss_aux_audio``.
        """
        weight = is_valid.flatten(1).float()  # (B, SK)
        has_words = weight.sum(1) > 0
        losses = {}
        for name, classifier in self.classifiers.items():
            features = aware[name].features.unflatten(0, is_valid.shape[:2]).flatten(1, 2)
            mean = torch.einsum('bkd,bk->bd', features, weight.to(features.dtype))
            mean = mean / weight.sum(1, keepdim=True).clamp(min=1)
            values = polarity_consistent_cross_entropy(
                classifier(mean), labels, polarity, self.penalty
            )
            counts = has_words & present[name]
            losses[f'loss_aux_{name}'] = self.loss_weight * global_mean(values, counts)
        return losses
