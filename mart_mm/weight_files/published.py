"""Published weights: a ``.safetensors`` with the inference card, and its hash in the name."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from mart_mm.errors import WeightsError
from mart_mm.structures.inference_card import KEY
from mart_mm.utils.atomic import replacing
from mart_mm.weight_files import PUBLISHED_SUFFIX

#: first digits of the SHA-256 of a file, before its suffix; eight digits of a date are none
_NAME = re.compile(rf'-(?!(?:19|20)\d{{6}}\.)([0-9a-f]{{8}}){re.escape(PUBLISHED_SUFFIX)}$')
_LENGTH = struct.Struct('<Q')


def read_published(path: Path, map_location: object = None) -> dict:
    """Read a ``.safetensors``, ours or another one.

    Args:
        path: The file; a hash in its name is verified.
        map_location: Device to put tensors on.

    Returns:
        ``state_dict``, and ``meta`` with the card where there is one, as in a checkpoint.

    Raises:
        OSError: When it cannot be read.
        WeightsError: When it is damaged or not what its name says.
    """
    from safetensors.torch import load

    content = path.read_bytes()  # what is checked is what is used
    found = _NAME.search(path.name)
    digest = hashlib.sha256(content).hexdigest()
    if found and not digest.startswith(found[1]):
        raise WeightsError(
            f'{path}: its name says that its SHA-256 begins with {found[1]}, and it begins with '
            f'{digest[:8]}: it is damaged or another file; get it again'
        )
    try:
        state = load(content)
        card = _metadata(content).get(KEY)
        meta = {} if card is None else {KEY: json.loads(card)}
    except Exception as error:  # a damaged file may raise anything
        raise WeightsError(f'{path} is damaged or no safetensors file ({error})') from error
    if map_location is not None:
        state = {name: tensor.to(map_location) for name, tensor in state.items()}
    return dict(state_dict=state, meta=meta)


def _metadata(content: bytes) -> Mapping[str, str]:
    (length,) = _LENGTH.unpack_from(content)
    header = json.loads(content[_LENGTH.size : _LENGTH.size + length])
    return header.get('__metadata__') or {}


def _in_order(content: bytes) -> bytes:
    """The same file with its metadata in order, which the library leaves to chance."""
    (length,) = _LENGTH.unpack_from(content)
    header = json.loads(content[_LENGTH.size : _LENGTH.size + length])
    header['__metadata__'] = dict(sorted(header['__metadata__'].items()))
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % _LENGTH.size)  # tensors begin at a multiple of 8
    return _LENGTH.pack(len(text)) + text + content[_LENGTH.size + length :]


def write_published(state: Mapping[str, Tensor], card: dict, out: str | Path) -> Path:
    """Write weights under a name that ends with their hash.

    Args:
        state: Weights by name.
        card: Of :meth:`~mart_mm.structures.inference_card.InferenceCard.to_dict`.
        out: ``NAME.safetensors``, or ``NAME``.

    Returns:
        ``NAME-<first 8 digits of the SHA-256>.safetensors``.

    Raises:
        OSError: When it cannot be written; nothing is left then.
    """
    from safetensors.torch import save

    own = {name: tensor.detach().contiguous().clone() for name, tensor in state.items()}
    content = _in_order(save(own, {'format': 'pt', KEY: json.dumps(card)}))
    out = Path(out)
    stem = out.name.removesuffix(PUBLISHED_SUFFIX)
    target = out.with_name(f'{stem}-{hashlib.sha256(content).hexdigest()[:8]}{PUBLISHED_SUFFIX}')
    with replacing(target, durable=True) as temporary:
        temporary.write_bytes(content)
    return target
