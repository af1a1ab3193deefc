"""Pickles that hold arrays and plain containers, read without running anything in them."""

from __future__ import annotations

import os
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mart_mm.errors import MediaError
from mart_mm.utils.noted_arrays import ARRAY_MODULES, BUFFER_MODULES, NotedArray, NotedDtype, scalar

_SCALARS = (type(None), bool, int, float, str, bytes, bytearray)
#: of Python 2, which protocols below 3 keep to
_OLD_NAMES = {'__builtin__': 'builtins'}


def read_pickle(path: str | Path) -> object:
    """Read a pickle of arrays, numbers, strings, lists, tuples, sets and dicts.

    Those of Python 2 are read too. An array of objects becomes a (nested) list.

    Args:
        path: The file.

    Raises:
        MediaError: When it is damaged or holds anything else, with the remedy.
    """
    try:
        with open(path, 'rb') as file:
            _check_places(file)
            file.seek(0)
            noted = _Unpickler(file, encoding='latin1').load()
        return _resolve(noted, {})
    except FileNotFoundError as error:
        raise MediaError(str(path), 'the file does not exist') from error
    except Exception as error:  # a damaged pickle may raise anything
        reason = str(error) or type(error).__name__
        raise MediaError(
            str(path),
            f'cannot be read as a plain pickle: {reason}. If you trust it, load it yourself and save '
            'its arrays with numpy.save',
        ) from error


def _check_places(file: BinaryIO) -> None:
    """Refuse a place in the memo that no pickle of this size has: room is made for all before it."""
    size = os.fstat(file.fileno()).st_size
    for operation, place, _ in pickletools.genops(file):
        if operation.name.endswith('PUT') and place > size:
            raise pickle.UnpicklingError(f'it keeps something at place {place}')


class _Call:
    """What a name in a pickle stands for; nothing on it can be changed for another file."""

    __slots__ = ('_function',)

    def __init__(self, function: Callable) -> None:
        object.__setattr__(self, '_function', function)

    def __setattr__(self, name: str, value: object) -> None:
        raise pickle.UnpicklingError(f'it sets {name}')

    def __call__(self, *arguments: object) -> object:
        return self._function(*arguments)


def _encode(text: str, encoding: str) -> bytes:
    """How bytes are written by protocols below 3."""
    if encoding not in ('latin1', 'latin-1'):
        raise pickle.UnpicklingError(f'it encodes as {encoding!r}')
    return text.encode('latin1')


_NAMES: dict[tuple[str, str], Callable] = {
    **{('builtins', kind.__name__): kind for kind in (list, dict, set, frozenset, bytearray)},
    # empty bytes of protocols below 3; with a number it would allocate as many
    ('builtins', 'bytes'): lambda: b'',
    ('collections', 'OrderedDict'): dict,
    ('_codecs', 'encode'): _encode,
    ('numpy', 'ndarray'): NotedArray,
    ('numpy', 'dtype'): NotedDtype,
    **{(module, '_reconstruct'): lambda *_: NotedArray() for module in ARRAY_MODULES},
    **{(module, 'scalar'): scalar for module in ARRAY_MODULES},
    **{(module, '_frombuffer'): NotedArray.of for module in BUFFER_MODULES},
}


class _Unpickler(pickle.Unpickler):
    """Knows the names of :data:`_NAMES` and no other."""

    def find_class(self, module: str, name: str) -> _Call:
        """What stands for a name."""
        module = _OLD_NAMES.get(module, module)
        if (module, name) not in _NAMES:
            raise pickle.UnpicklingError(
                f'it names {module}.{name}, which could run code; only arrays and plain containers '
                'are read'
            )
        return _Call(_NAMES[module, name])

    def persistent_load(self, pid: object) -> object:
        """What torch's files ask for."""
        raise pickle.UnpicklingError('it refers to data outside of it, as files of torch do')


def _resolve(item: object, done: dict[int, object]) -> object:
    """Plain values of what was noted; what stands in several places is made once."""
    if isinstance(item, _SCALARS):
        return item
    if id(item) not in done:

        def resolve(part: object) -> object:
            return _resolve(part, done)

        if isinstance(item, NotedArray):
            value = item.value(resolve)
            value = value.item() if isinstance(value, np.ndarray) and not value.shape else value
        elif isinstance(item, dict):
            value = {resolve(key): resolve(part) for key, part in item.items()}
        elif isinstance(item, (list, tuple, set, frozenset)):
            value = type(item)(resolve(part) for part in item)
        else:
            raise pickle.UnpicklingError('it holds a name where a value should be')
        done[id(item)] = value
    return done[id(item)]
