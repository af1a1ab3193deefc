"""InfoNCE between patches and predictions of the same segment."""

from __future__ import annotations

from torch import Tensor

from mart_mm.models.layers.modes import full_precision


def patch_info_nce(target: Tensor, predicted: Tensor, is_valid: Tensor) -> Tensor:
    r"""Which of a segment's predictions belongs to a patch (SSAST: Gong et al., AAAI 2022, Eq. 1).

    ``-log softmax_j(x[i] . c[j])[i]`` over the valid ``j`` of the same segment, with patches ``x`` and
    predictions ``c``; neither norm nor temperature.

    Args:
        target: (BS, n, dims) patches.
        predicted: (BS, n, dims).
        is_valid: Bool (BS, n).

    Returns:
        (BS, n), one loss per patch; meaningless where not valid.
    """
    with full_precision(target.device):
        x, c = target.float(), predicted.float()
        scores = x @ c.transpose(1, 2)  # (BS, n, n)
        scores = scores.masked_fill(~is_valid[:, None], float('-inf'))
        return scores.logsumexp(-1) - (x * c).sum(-1)
