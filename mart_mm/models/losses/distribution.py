"""Distance of emotion distributions."""

from __future__ import annotations

from torch import Tensor


def distribution_kl(target: Tensor, log_predicted: Tensor) -> Tensor:
    """``KL(target || predicted)`` over the last axis; 0 log 0 counts as 0.

    Args:
        target: (..., C) probabilities.
        log_predicted: (..., C) log-probabilities.

    Returns:
        (...), float32.
    """
    target = target.float()  # 1e-12 is 0 in float16
    log_target = target.clamp_min(1e-12).log()
    return (target * (log_target - log_predicted.float())).sum(-1)
