"""MoCo v3's contrastive loss."""

from __future__ import annotations

import torch
from mmengine.dist import all_gather, get_rank
from torch import Tensor
from torch.nn import functional as F

from mart_mm.models.layers.modes import full_precision
from mart_mm.models.losses.reduce import global_mean


def moco_loss(queries: Tensor, keys: Tensor, is_valid: Tensor, temperature: float) -> Tensor:
    """``2 T * CE(q k^T / T)`` of each query against the keys of all processes (Chen et al., 2021).

    Args:
        queries: (B, D) of this process.
        keys: (B, D), without gradient; key i belongs to query i.
        is_valid: Bool (B,), queries that count; keys of the others still are negatives.
        temperature: T.

    Returns:
        Scalar.
    """
    queries = F.normalize(queries.float(), dim=1)
    keys = F.normalize(keys.float(), dim=1)
    all_keys = torch.cat(all_gather(keys.contiguous()))
    labels = torch.arange(len(queries), device=queries.device) + get_rank() * len(queries)
    with full_precision(queries.device):
        logits = queries @ all_keys.T / temperature
    return (
        2 * temperature * global_mean(F.cross_entropy(logits, labels, reduction='none'), is_valid)
    )
