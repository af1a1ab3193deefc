"""Numbers for names."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import torch
from torch import Tensor

from mart_mm.models.layers.transfer import on_device


def identities(names: Sequence[str], device: torch.device) -> Tensor:
    """Long (B,), a number for each name, equal on all machines."""
    digests = [blake2b(name.encode(), digest_size=8).digest() for name in names]
    numbers = [int.from_bytes(digest, 'little', signed=True) for digest in digests]
    return on_device(torch.tensor(numbers), device)
