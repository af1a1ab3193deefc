"""Pretrained weights of VideoMAE and AST, in the layouts they are published in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from mart_mm.errors import WeightsError
from mart_mm.models.layers.positions import fit_grid
from mart_mm.weight_files.opening import open_checkpoint

StateDict = Mapping[str, Tensor]

#: names inside a block, in any published layout -> ours; ``q``, ``k``, ``v`` are joined afterwards
_BLOCK_NAMES = (
    (r'layernorm_before|norm1', 'norm1'),
    (r'layernorm_after|norm2', 'norm2'),
    (r'attention\.attention\.query|attention\.q_proj', 'q'),
    (r'attention\.attention\.key|attention\.k_proj', 'k'),
    (r'attention\.attention\.value|attention\.v_proj', 'v'),
    (r'attention\.attention\.q_bias|attn\.q_bias', 'q.bias'),
    (r'attention\.attention\.v_bias|attn\.v_bias', 'v.bias'),
    (r'attention\.output\.dense|attention\.o_proj|attn\.proj', 'attn.proj'),
    (r'attn\.qkv', 'attn.qkv'),
    (r'intermediate\.dense|mlp\.fc1|mlp\.0', 'mlp.0'),
    (r'output\.dense|mlp\.fc2|mlp\.2', 'mlp.2'),
)
_BLOCK = re.compile(r'(?:^|\.)(?:encoder\.layer|encoder\.blocks|layers|blocks)\.(\d+)\.(.+)$')
_PATCH = re.compile(r'(?:patch_embeddings\.projection|patch_embed(?:\.proj)?)\.(weight|bias)$')
_NORM = re.compile(r'^(?:layernorm|norm|fc_norm|encoder\.norm|encoder\.layernorm)\.(weight|bias)$')
_PREFIXES = (
    'module.', 'backbone.', 'model.', 'videomae.', 'audio_spectrogram_transformer.', 'v.',
)  # fmt: skip
_AST_TOKENS = (
    'cls_token', 'dist_token', 'distillation_token', 'pos_embed', 'position_embeddings',
)  # fmt: skip


class LoadReport(NamedTuple):
    """What became of a checkpoint.

    Attributes:
        loaded: Our parameters that were filled.
        missing: Our parameters that the checkpoint does not have (prefix and mask tokens).
        unused: Keys of the checkpoint without a place here (decoder, classifier).
    """

    loaded: list[str]
    missing: list[str]
    unused: list[str]


def _strip(key: str) -> str:
    while True:
        for prefix in _PREFIXES:
            if key.startswith(prefix):
                key = key[len(prefix) :]
                break
        else:
            return key


def _block_name(name: str) -> str | None:
    for pattern, ours in _BLOCK_NAMES:
        match = re.match(rf'(?:{pattern})(\.(?:weight|bias))?$', name)
        if match:
            return ours + (match.group(1) or '')
    return None


def _common(state: StateDict) -> tuple[dict[str, Tensor], list[str]]:
    """Rename what both encoders share; returns our keys and the keys left over."""
    ours: dict[str, Tensor] = {}
    unused = []
    for key, value in state.items():
        plain = _strip(key)
        if plain.startswith('decoder'):
            unused.append(key)
            continue
        block, patch, norm = _BLOCK.search(plain), _PATCH.search(plain), _NORM.match(plain)
        name = block and _block_name(block[2])
        if block and name:
            ours[f'blocks.{block[1]}.{name}'] = value
        elif patch:
            ours[f'patch_embed.{patch[1]}'] = value
        elif norm:
            ours[f'norm.{norm[1]}'] = value
        else:
            unused.append(key)
    return ours, unused


def _join_qkv(ours: dict[str, Tensor]) -> dict[str, Tensor]:
    """Join query, key and value; the key's bias is dropped: softmax does not see it.

    Raises:
        WeightsError: When a block has no bias of query and value, which some versions of
            transformers lose silently.
    """
    joined: dict[str, Tensor] = {}
    blocks = sorted({int(key.split('.')[1]) for key in ours if key.startswith('blocks.')})
    for index in blocks:
        block = f'blocks.{index}.'
        part = {k[len(block) :]: v for k, v in ours.items() if k.startswith(block)}
        if any(f'{n}.weight' in part for n in 'qkv'):
            lost = [f'{block}{n}.weight' for n in 'qkv' if f'{n}.weight' not in part]
            if lost:
                raise WeightsError(f'the checkpoint is incomplete: {lost} are missing')
            part['attn.qkv.weight'] = torch.cat([part.pop(f'{n}.weight') for n in 'qkv'])
        if 'attn.qkv.bias' in part:
            part['q.bias'], _, part['v.bias'] = part.pop('attn.qkv.bias').chunk(3)
        part.pop('k.bias', None)
        lost = [f'{block}{name}' for name in ('q.bias', 'v.bias') if name not in part]
        if lost:
            raise WeightsError(
                f'block {index} has no bias of query and value ({lost} missing): some versions of '
                'transformers write files without them; take the original checkpoint'
            )
        part['attn.q_bias'], part['attn.v_bias'] = part.pop('q.bias'), part.pop('v.bias')
        joined |= {block + name: value for name, value in part.items()}
    rest = {key: value for key, value in ours.items() if not key.startswith('blocks.')}
    return joined | rest


def convert_videomae(state: StateDict) -> tuple[dict[str, Tensor], list[str]]:
    """Keys of VideoMAE (Hugging Face or original) to those of ``VideoViT``.

    Models fine-tuned with mean pooling have their norm behind the mean over tokens (``fc_norm``);
    it becomes the norm in front of it, which is not the same function.

    Args:
        state: State dict of an encoder, with or without decoder or classifier.

    Returns:
        The state dict, and the keys that were not used.

    Raises:
        WeightsError: When query and value have no bias.
    """
    ours, unused = _common(state)
    return _join_qkv(ours), unused


def convert_ast(
    state: StateDict, grid: tuple[int, int], *, num_mels_rows: int = 12
) -> tuple[dict[str, Tensor], list[str]]:
    """Keys of AST (Hugging Face or original) to those of ``AudioSpectrogramTransformer``.

    Positions made for another length or height are cut from the middle where they are longer and
    interpolated where they are shorter (Gong et al., 2021, Sec. 2.2 and their code).

    Args:
        state: State dict of an AST, with or without classifier.
        grid: (frequency, time) tokens of the target.
        num_mels_rows: Frequency rows of the source; 12 for 128 mel bins and stride 10.

    Returns:
        The state dict, and the keys that were not used.

    Raises:
        WeightsError: When positions or prefix tokens are missing, or rows do not fit.
    """
    ours, unused = _common(state)
    ours = _join_qkv(ours)
    found = {}
    for key in list(unused):
        name = key.rpartition('.')[2]
        if name in _AST_TOKENS:
            found[name] = state[key]
            unused.remove(key)
    cls = found.get('cls_token')
    dist = found.get('dist_token', found.get('distillation_token'))
    positions = found.get('pos_embed', found.get('position_embeddings'))
    if cls is None or dist is None or positions is None:
        raise WeightsError('no AST: class token, distillation token or positions are missing')
    if (positions.shape[1] - 2) % num_mels_rows:
        raise WeightsError(
            f'{positions.shape[1] - 2} positions do not divide into {num_mels_rows} frequency rows'
        )
    columns = (positions.shape[1] - 2) // num_mels_rows
    ours['prefix'] = torch.cat([cls, dist], 1)
    ours['prefix_positions'] = positions[:, :2]
    ours['positions'] = fit_grid(positions[:, 2:], (num_mels_rows, columns), grid)
    return ours, unused


def read_state(path: str | Path) -> dict[str, Tensor]:
    """Read a state dict from a ``.pth``, a ``.safetensors`` or a Hugging Face folder, safely.

    Raises:
        FileNotFoundError: When there is no such file, or no weights in the folder.
        WeightsError: When the file is damaged, could run code or holds no state dict.
    """
    path = Path(path)
    if path.is_dir():
        names = ('model.safetensors', 'pytorch_model.bin')
        inside = next((path / name for name in names if (path / name).is_file()), None)
        if inside is None:
            raise FileNotFoundError(f'{path} holds none of {names}')
        path = inside
    state = open_checkpoint(path)
    for key in ('state_dict', 'model', 'module'):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping) or not any(isinstance(v, Tensor) for v in state.values()):
        raise WeightsError(f'{path} holds no state dict')
    return {key: value for key, value in state.items() if isinstance(value, Tensor)}


def load_stream(stream: nn.Module, state: StateDict, *, source: str) -> LoadReport:
    """Fill an encoder, and refuse to leave any of its layers as they were.

    Args:
        stream: ``VideoViT`` or ``AudioSpectrogramTransformer``.
        state: State dict in any of the known layouts.
        source: Named in messages.

    Raises:
        WeightsError: Listing what is missing, left over or of another shape.
    """
    is_audio = hasattr(stream, 'prefix')
    if is_audio and 'prefix' in state:  # our own layout
        converted, unused = dict(state), []
    elif is_audio:
        converted, unused = convert_ast(state, stream.spec.grid)
    else:
        converted, unused = convert_videomae(state)
        converted |= {k: v for k, v in state.items() if k == 'cls_token'}
    own = stream.state_dict()
    may_miss = {'cls_token', 'mask_token'}
    missing = [key for key in own if key not in converted]
    too_many = [key for key in converted if key not in own]
    shapes = [
        f'{key}: {tuple(converted[key].shape)} in the file, {tuple(own[key].shape)} here'
        for key in own
        if key in converted and converted[key].shape != own[key].shape
    ]
    fatal = [key for key in missing if key not in may_miss]
    if fatal or too_many or shapes:
        raise WeightsError(
            f'{source} does not fit {type(stream).__name__}: '
            f'missing {fatal[:8]} ({len(fatal)}), no place for {too_many[:8]} ({len(too_many)}), '
            f'other shapes {shapes[:8]} ({len(shapes)}). Check embed_dims, depth and patch_size'
        )
    stream.load_state_dict(converted, strict=False)
    report = LoadReport([key for key in own if key in converted], missing, unused)
    print_log(
        f'{source}: {len(report.loaded)} tensors loaded into {type(stream).__name__}, '
        f'not in the file: {report.missing}, not used: {len(report.unused)} keys',
        logger='current',
    )
    return report
