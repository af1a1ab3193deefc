"""Polarity-consistent cross-entropy."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def polarity_consistent_cross_entropy(
    logits: Tensor, labels: Tensor, polarity: Tensor, penalty: float, label_smoothing: float = 0.0
) -> Tensor:
    r"""Cross-entropy that weighs a prediction of the wrong polarity more.

    ``(1 + penalty * [polarity(argmax) != polarity(label)]) * CE`` (Zhao et al., An End-to-End
    Visual-Audio Attention Network for Emotion Recognition in User-Generated Videos, AAAI 2020).

    Args:
        logits: (n, C).
        labels: Long (n,).
        polarity: Long (C,), the polarity of each class.
        penalty: Extra weight, lambda; 0.5 in the paper.
        label_smoothing: Of the cross-entropy.

    Returns:
        (n,), one loss per sample.
    """
    loss = F.cross_entropy(
        logits.float(), labels, reduction='none', label_smoothing=label_smoothing
    )
    is_wrong = polarity[logits.argmax(-1)] != polarity[labels]
    return loss * (1 + penalty * is_wrong.to(torch.float32))
