"""Contrastive losses between lexicon-aware features and words."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mart_mm.models.layers.modes import full_precision


def tacl_loss(
    features: Tensor,
    words: Tensor,
    others: Tensor,
    is_valid: Tensor,
    *,
    temperature: float,
    others_present: Tensor | None = None,
    across_videos: bool = False,
) -> Tensor:
    r"""One direction of the temporal affective complementary loss (paper Eq. 5).

    For word ``t`` of window ``k``: ``-log(P / (P + N))`` with ``P = exp(f[t] . w[t] / tau)`` and
    ``N = sum over words i of the other windows of exp(f[t] . o[i] / tau)``, all features of unit norm.

    Args:
        features: (B, S, K, D) lexicon-aware features of one modality, one window per segment.
        words: (B, S, K, D) features of the words.
        others: (B, S, K, D) lexicon-aware features of the other modality.
        is_valid: Bool (B, S, K), True for a real, verified word.
        temperature: tau.
        others_present: Bool (B,), videos that have the other modality; None means all.
        across_videos: Negatives also come from all windows of the other videos.

    Returns:
        (B, S, K), one loss per word; meaningless where not valid.
    """
    f, w, o = (F.normalize(x.float(), dim=-1) for x in (features, words, others))
    num_videos, num_segments, num_words = is_valid.shape
    positive = (f * w).sum(-1) / temperature  # (B, S, K)

    usable = is_valid if others_present is None else is_valid & others_present[:, None, None]
    device = is_valid.device
    window = torch.arange(num_segments, device=device).repeat_interleave(num_words)  # (SK,)
    is_other_window = window[:, None] != window[None, :]  # (SK, SK)
    if across_videos:
        video = torch.arange(num_videos, device=device).repeat_interleave(len(window))
        is_other_window = is_other_window.repeat(num_videos, num_videos)
        is_other_window = is_other_window | (video[:, None] != video[None, :])
        with full_precision(device):
            scores = f.flatten(0, 2) @ o.flatten(0, 2).T / temperature  # (BSK, BSK)
        is_negative = is_other_window & usable.flatten()[None]
    else:
        with full_precision(device):
            scores = f.flatten(1, 2) @ o.flatten(1, 2).transpose(1, 2) / temperature  # (B, SK, SK)
        is_negative = is_other_window & usable.flatten(1)[:, None]
    scores = scores.masked_fill(~is_negative, float('-inf')).reshape(*is_valid.shape, -1)
    return torch.cat([positive[..., None], scores], -1).logsumexp(-1) - positive


def cpc_loss(predicted: Tensor, target: Tensor, is_valid: Tensor) -> Tensor:
    """InfoNCE between a prediction and its target, among all tokens of the batch.

    The stand-in for TACL in the official code: cosine similarity without temperature. Rows and
    candidates that are not valid take no part.

    Args:
        predicted: (n, D).
        target: (n, D).
        is_valid: Bool (n,).

    Returns:
        (n,), one loss per row; meaningless where not valid.
    """
    p, t = F.normalize(predicted.float(), dim=-1), F.normalize(target.float(), dim=-1)
    with full_precision(p.device):
        scores = p @ t.T
    scores = scores.masked_fill(~is_valid[None], float('-inf'))
    positive = (p * t).sum(-1)
    return scores.logsumexp(-1).nan_to_num(neginf=0.0) - positive
