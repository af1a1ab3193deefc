"""From the host to the device, without waiting for what the device is still doing."""

from __future__ import annotations

import torch
from torch import Tensor


def on_device(x: Tensor, device: torch.device | str) -> Tensor:
    """A host tensor on a device; for CUDA through pinned memory, so that the host goes on at once.

    Args:
        x: On CPU (elsewhere it is just moved).
        device: Where to.
    """
    device = torch.device(device)
    if device.type == 'cuda' and x.device.type == 'cpu':
        return x.pin_memory().to(device, non_blocking=True)
    return x.to(device)
