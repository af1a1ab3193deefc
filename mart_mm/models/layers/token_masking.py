"""Hide tokens: the only place where a mask touches tokens.

``is_masked`` is (N_batch, N) and True where a token is hidden, to be recovered.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

MASK_MODES = ('drop', 'token')


def check_mask_mode(mask_mode: str) -> None:
    """Refuse anything but ``'drop'`` and ``'token'``.

    Raises:
        ValueError: For another mode.
    """
    if mask_mode not in MASK_MODES:
        raise ValueError(f'mask_mode={mask_mode!r}: choose one of {MASK_MODES}')


def remember_counts(is_masked: Tensor, counts: Sequence[int]) -> Tensor:
    """Note on a mask how many tokens each row hides, so that nobody has to ask the device.

    The note stays with this tensor; what is computed from it has none.

    Args:
        is_masked: Bool (N_batch, N).
        counts: N_batch numbers.

    Returns:
        The mask itself.
    """
    is_masked.hidden_counts = tuple(counts)
    return is_masked


def known_counts(is_masked: Tensor) -> tuple[int, ...] | None:
    """How many tokens each row hides, where the host knows without waiting for a device.

    On CPU they are counted. Elsewhere it is what :func:`remember_counts` noted.

    Args:
        is_masked: Bool (N_batch, N).

    Returns:
        N_batch numbers, or None.
    """
    if is_masked.device.type == 'cpu':
        return tuple(is_masked.sum(1).tolist())
    return getattr(is_masked, 'hidden_counts', None)


def visible_indices(is_masked: Tensor) -> Tensor:
    """Indices of the tokens that stay, in their order.

    Their number is what :func:`known_counts` says; a mask without a note costs waiting for the device.

    Args:
        is_masked: Bool (N_batch, N), the same number of True in each row.

    Returns:
        Long (N_batch, number visible).

    Raises:
        ValueError: When rows hide different numbers of tokens.
    """
    counts = known_counts(is_masked)
    if counts is None:
        counts = is_masked.sum(1).tolist()
    low, high = min(counts), max(counts)
    if low != high:
        raise ValueError(
            f'dropping needs the same number of masked tokens in every segment, got {low} to {high}: '
            "use mask_mode='token' or a masker with a fixed count"
        )
    order = is_masked.to(torch.uint8).argsort(dim=1, stable=True)  # visible first
    return order[:, : is_masked.shape[1] - low]


def gather_tokens(tokens: Tensor, indices: Tensor) -> Tensor:
    """Pick tokens by index: (N_batch, N, D), (N_batch, n) -> (N_batch, n, D)."""
    return tokens.gather(1, indices[..., None].expand(-1, -1, tokens.shape[-1]))


def replace_masked(tokens: Tensor, is_masked: Tensor, mask_token: Tensor) -> Tensor:
    """Overwrite hidden tokens by a learned one.

    Args:
        tokens: (N_batch, N, D).
        is_masked: Bool (N_batch, N).
        mask_token: (1, 1, D), or (1, N, D) with positions added.

    Returns:
        (N_batch, N, D).
    """
    return torch.where(is_masked[..., None], mask_token.to(tokens.dtype), tokens)


def restore_order(visible: Tensor, is_masked: Tensor, mask_token: Tensor) -> Tensor:
    """Undo dropping: visible tokens at their old places, the mask token everywhere else.

    Args:
        visible: (N_batch, number visible, D).
        is_masked: Bool (N_batch, N).
        mask_token: (1, 1, D).

    Returns:
        (N_batch, N, D).
    """
    full = mask_token.to(visible.dtype).expand(*is_masked.shape, -1)
    index = visible_indices(is_masked)[..., None].expand_as(visible)
    return full.scatter(1, index, visible)
