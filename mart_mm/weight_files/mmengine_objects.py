"""What checkpoints of plain MMEngine hold beside tensors: its log buffers, and NumPy values in them.

Neither MMEngine nor NumPy is asked to restore them. Torch's safe loader is given stand-ins that note
down what the file says, and the values are made from these notes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mart_mm.utils.noted_arrays import ARRAY_MODULES, BUFFER_MODULES, NotedArray, NotedDtype, scalar

_METHODS = ('mean', 'min', 'max', 'current', 'statistics')


class NotedBuffer:
    """A log buffer as noted."""

    def __setstate__(self, state: object) -> None:
        self.state = state


def _method(owner: object, name: str) -> str:
    """A buffer's statistics, which every buffer has anyway.

    Raises:
        ValueError: For anything else, so that a checkpoint cannot reach other code.
    """
    if owner is NotedBuffer and name in _METHODS:
        return name
    raise ValueError(f'it asks for {name!r} of {owner!r}')


def _reconstruct(*_: object) -> NotedArray:
    return NotedArray()


#: for ``torch.serialization.safe_globals``
STAND_INS = [
    (NotedBuffer, 'mmengine.logging.history_buffer.HistoryBuffer'),
    (_method, 'builtins.getattr'),
    (NotedArray, 'numpy.ndarray'),
    (NotedDtype, 'numpy.dtype'),
    *(
        (NotedDtype, f'numpy.dtypes.{kind}DType')
        for kind in ('Float64', 'Float32', 'Int64', 'Bool')
    ),
    *((_reconstruct, f'{module}._reconstruct') for module in ARRAY_MODULES),
    *((scalar, f'{module}.scalar') for module in ARRAY_MODULES),
    *((NotedArray.of, f'{module}._frombuffer') for module in BUFFER_MODULES),
]


def parts(value: object) -> list | None:
    """What stands in a container or in a note; None for anything else."""
    if isinstance(value, NotedBuffer):
        return [value.state]
    if isinstance(value, NotedArray):
        return [value.content]
    if isinstance(value, Mapping):
        return [part for pair in value.items() for part in pair]
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    return None


def rebuild(value: object) -> object:
    """Make values of what was noted; containers are changed in place.

    Raises:
        Exception: Any, for notes that make no sense.
    """
    if isinstance(value, NotedBuffer):
        from mmengine.logging import HistoryBuffer

        state = rebuild(value.state)
        history = np.array(state['_log_history'], dtype=np.float64)
        counts = np.array(state['_count_history'])
        return HistoryBuffer(history, counts, int(state['max_length']))
    if isinstance(value, NotedArray):
        array = value.value(rebuild)
        return array.item() if isinstance(array, np.ndarray) and not array.shape else array
    if isinstance(value, Mapping):
        for key, part in value.items():
            value[key] = rebuild(part)
    elif isinstance(value, list):
        value[:] = map(rebuild, value)
    elif isinstance(value, tuple) and type(value) is tuple:
        return tuple(map(rebuild, value))
    return value
