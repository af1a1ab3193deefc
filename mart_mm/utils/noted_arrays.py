"""Arrays as pickles tell of them, noted down and made without asking NumPy.

To allow NumPy's own names is not enough: a pickle may ask NumPy for a dtype whose object fields point
anywhere in memory. So NumPy is not asked: what a pickle says of an array is noted down, and the array
is made here from its bytes.
"""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable

import numpy as np

#: kinds of numbers and strings, or lists of objects
_DTYPE = re.compile('[biufSUO][0-9]*')
#: where NumPy's versions keep what restores an array, and one of protocol 5
ARRAY_MODULES = ('numpy', 'numpy.core.multiarray', 'numpy._core.multiarray')
BUFFER_MODULES = ('numpy.core.numeric', 'numpy._core.numeric')


class NotedDtype:
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


class NotedArray:
    """An array as noted: shape, dtype, order and content."""

    def __setstate__(self, state: tuple) -> None:
        self.shape, self.dtype, is_fortran, self.content = state[-4:]
        self.order = 'F' if is_fortran else 'C'

    @classmethod
    def of(cls, content: object, dtype: NotedDtype, shape: tuple, order: str) -> NotedArray:
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
        if not isinstance(content, (str, bytes, bytearray)):  # of a number, bytes would be made
            raise pickle.UnpicklingError(f'it holds an array of a {type(content).__name__}')
        content = content.encode('latin1') if isinstance(content, str) else bytes(content)
        if len(content) != math.prod(shape) * dtype.itemsize:
            raise pickle.UnpicklingError(f'{len(content)} bytes for an array {shape} of {dtype}')
        return np.ndarray(shape, dtype, content, order=self.order)


def scalar(dtype: NotedDtype, content: object) -> NotedArray:
    """A number as noted."""
    return NotedArray.of(content, dtype, (), 'C')
