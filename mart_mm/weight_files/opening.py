"""Files of weights, opened without running anything in them."""

from __future__ import annotations

import re
import warnings
import zipfile
from pathlib import Path

import torch
from torch import Tensor

from mart_mm.errors import WeightsError
from mart_mm.utils.download import is_web_address
from mart_mm.weight_files import PUBLISHED_SUFFIX
from mart_mm.weight_files.mmengine_objects import STAND_INS, parts, rebuild
from mart_mm.weight_files.published import read_published
from mart_mm.weight_files.remote import fetch

#: values and nested containers: without a limit, a list of lists of one list would never end
MAX_VALUES, MAX_DEPTH = 5_000_000, 100
_ZIP = b'PK\x03\x04'
_DAMAGED = 'get it again, or take another one'
_FOREIGN = (
    'take a file of weights from a source that you trust, open it there with torch.load(..., '
    'weights_only=False), and save its state_dict alone with torch.save'
)
_PLAIN = (type(None), bool, int, float, complex, str, bytes, bytearray, torch.dtype, torch.device)


def open_checkpoint(path: str | Path, map_location: object = None) -> object:
    """Open a file of weights; what it holds is plain data, whoever wrote it.

    Archives of ``torch.save`` are read after a check that every byte is as it was written, with torch's
    safe loader. Log buffers of MMEngine are rebuilt; any other object is refused. A ``.safetensors``
    becomes a dict of ``state_dict`` and ``meta``; a hash in its name is verified.

    Args:
        path: The file, or an ``http(s)://`` address of one, which is downloaded once.
        map_location: Device to put tensors on; None puts them where they were saved.

    Raises:
        FileNotFoundError: When it is missing.
        OSError: When it cannot be read or downloaded.
        WeightsError: When it is damaged or holds more than plain data, with the remedy.
    """
    path = fetch(str(path)) if is_web_address(path) else Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f'checkpoint {path} does not exist')
    if path.suffix == PUBLISHED_SUFFIX:
        return read_published(path, map_location)
    with path.open('rb') as file:
        is_archive = file.read(len(_ZIP)) == _ZIP
    if is_archive:
        _check_archive(path)
    try:
        with torch.serialization.safe_globals(STAND_INS), warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of pickle protocols; what cannot be read is refused
            content = torch.load(path, map_location=map_location, weights_only=True)
        _check_plain(content, {})
        content = rebuild(content)
    except Exception as error:  # a damaged file may raise anything
        raise _refusal(path, error) from error
    return content


def _check_archive(path: Path) -> None:
    """Refuse an archive that is not as torch wrote it; torch itself does not check its bytes."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            if any(re.search(r'(^|/)(code/|constants\.pkl$)', name) for name in names):
                raise WeightsError(
                    f'{path} is a TorchScript archive, which holds code and is not read: {_FOREIGN}'
                )
            if any(member.compress_type != zipfile.ZIP_STORED for member in members):
                raise WeightsError(
                    f'{path} is compressed, as no file of torch is, and may be larger than memory: '
                    'open it where you trust it and save it again with torch.save'
                )
            if len(set(names)) < len(names):
                raise WeightsError(f'{path} is damaged: it holds a name twice; {_DAMAGED}')
            if sum(member.file_size for member in members) > path.stat().st_size:
                raise WeightsError(f'{path} is damaged: it announces more than it has; {_DAMAGED}')
            broken = archive.testzip()
    except WeightsError:
        raise
    except Exception as error:  # a damaged archive may raise anything
        raise WeightsError(f'{path} is damaged or not whole ({error}): {_DAMAGED}') from error
    if broken:
        raise WeightsError(f'{path} is damaged: {broken} is not as it was written; {_DAMAGED}')


def _refusal(path: Path, error: Exception) -> WeightsError:
    text = str(error)
    if isinstance(error, RecursionError):
        text = 'it is nested too deeply'
    if found := re.search(r'GLOBAL (\S+)|for unrecognized function (.+)', text):
        text = f'it asks for {found[1] or found[2]}'
    elif '.tar format' in text:
        text = 'it is in the .tar format of torch before 0.4'
    elif first := text.strip().partition('\n')[0]:
        text = first
    else:
        text = type(error).__name__
    return WeightsError(
        f'{path} is no checkpoint, or holds more than plain data, which could run code and is not '
        f'read ({text}): {_FOREIGN}'
    )


def _check_plain(
    value: object, measured: dict[int, tuple[int, int]], depth: int = 0
) -> tuple[int, int]:
    """Refuse what is no tensor, number, string, plain container or note.

    Args:
        value: Anything.
        measured: What was found of containers before, by their id: each is looked into once.
        depth: Of the value.

    Returns:
        Number of values in it, and how deep it is nested.

    Raises:
        ValueError: Naming it.
    """
    inner = parts(value)
    if inner is None:
        if isinstance(value, Tensor):
            _check_tensor(value)
        elif not isinstance(value, _PLAIN):
            raise ValueError(f'it holds a {type(value).__name__}')
        return 1, 1
    if id(value) not in measured:
        if depth > MAX_DEPTH:
            raise ValueError('it holds itself')
        found = [_check_plain(part, measured, depth + 1) for part in inner]
        size = 1 + sum(count for count, _ in found)
        height = 1 + max((deep for _, deep in found), default=0)
        if size > MAX_VALUES or height > MAX_DEPTH:
            raise ValueError('it holds more values than any checkpoint')
        measured[id(value)] = size, height
    return measured[id(value)]


def _check_tensor(tensor: Tensor) -> None:
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.device.type == 'meta':
        raise ValueError('it holds a tensor that is sparse, quantised or without content')
    if tensor.numel() * tensor.itemsize > tensor.untyped_storage().nbytes():
        raise ValueError(f'a tensor of shape {tuple(tensor.shape)} has not as many values')
