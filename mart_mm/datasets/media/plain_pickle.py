"""Pickles that hold arrays and plain containers, read without running anything in them.

To allow NumPy's own names is not enough: a pickle may ask NumPy for a dtype whose object fields point
anywhere in memory. So NumPy is not asked: what a pickle says of an array is noted down, and the array
is made here from its bytes.
"""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mart_mm.errors import MediaError

#: kinds of numbers and strings, or lists of objects
_DTYPE = re.compile('[biufSUO][0-9]*')
_SCALARS = (type(None), bool, int, float, str, bytes, bytearray)
_ARRAYS = ('numpy', 'numpy.core.multiarray', 'numpy._core.multiarray')
#: of Python 2, which protocols below 3 keep to
_OLD_NAMES = {'__builtin__': 'builtins'}
_BUFFERS = ('numpy.core.numeric', 'numpy._core.numeric')


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


class _Call:
    """What a name in a pickle stands for; nothing on it can be changed for another file."""

    __slots__ = ('_function',)

    def __init__(self, function: Callable) -> None:
        object.__setattr__(self, '_function', function)

    def __setattr__(self, name: str, value: object) -> None:
        raise pickle.UnpicklingError(f'it sets {name}')

    def __call__(self, *arguments: object) -> object:
        return self._function(*arguments)


class _Dtype:
    """A dtype as noted: its name, and its byte order where a state follows."""

    def __init__(self, name: object, *_: object) -> None:
        if not isinstance(name, str) or not _DTYPE.fullmatch(name):
            raise pickle.UnpicklingError(
                f'it holds an array of {name!r}; only numbers and strings are read'
            )
        self.value = np.dtype(name)

    def __setstate__(self, state: tuple) -> None:
        if state[1] in ('<', '>'):
            self.value = self.value.newbyteorder(state[1])


class _Array:
    """An array as noted: shape, dtype, order and content."""

    def __setstate__(self, state: tuple) -> None:
        self.shape, self.dtype, is_fortran, self.content = state[-4:]
        self.order = 'F' if is_fortran else 'C'

    @classmethod
    def of(cls, content: object, dtype: _Dtype, shape: tuple, order: str) -> _Array:
        """From what protocol 5 says of it."""
        array = cls()
        array.__setstate__((shape, dtype, order == 'F', content))
        return array

    def value(self, resolve: Callable) -> np.ndarray | list:
        """The array, read-only; of objects a list."""
        dtype, shape = self.dtype.value, tuple(self.shape)
        if dtype.kind == 'O':
            items = np.empty(len(self.content), dtype=object)
            for place, item in enumerate(self.content):
                items[place] = resolve(item)
            return items.reshape(shape, order=self.order).tolist()
        content = self.content
        content = content.encode('latin1') if isinstance(content, str) else bytes(content)
        if len(content) != math.prod(shape) * dtype.itemsize:
            raise pickle.UnpicklingError(f'{len(content)} bytes for an array {shape} of {dtype}')
        return np.ndarray(shape, dtype, content, order=self.order)


def _scalar(dtype: _Dtype, content: object) -> _Array:
    return _Array.of(content, dtype, (), 'C')


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
    ('numpy', 'ndarray'): _Array,
    ('numpy', 'dtype'): _Dtype,
    **{(module, '_reconstruct'): lambda *_: _Array() for module in _ARRAYS},
    **{(module, 'scalar'): _scalar for module in _ARRAYS},
    **{(module, '_frombuffer'): _Array.of for module in _BUFFERS},
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

        if isinstance(item, _Array):
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
