"""What the converters share."""

from __future__ import annotations

import sys

import torch
from torch import Tensor

from mart_mm.utils.atomic import replacing

#: what every encoder must have
_NEEDED = ('patch_embed.weight', 'norm.weight', 'blocks.0.attn.qkv.weight', 'blocks.0.mlp.0.weight')


def save_converted(state: dict[str, Tensor], unused: list[str], target: str) -> int:
    """Write the state dict and say what it holds; 1 when an encoder's parts are missing."""
    missing = [key for key in _NEEDED if key not in state]
    if missing:
        print(f'not written: the checkpoint has no {missing}', file=sys.stderr)
        return 1
    blocks = {key.split('.')[1] for key in state if key.startswith('blocks.')}
    with replacing(target) as temporary:
        torch.save({key: value.clone() for key, value in state.items()}, temporary)
    print(f'{target}: {len(state)} tensors, {len(blocks)} blocks; {len(unused)} keys not used')
    for key in unused:
        print(f'  not used: {key}')
    return 0
