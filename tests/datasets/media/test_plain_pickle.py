"""What plain pickles hold comes out; what could do anything else is refused before it does."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from mart_mm.datasets.media.plain_pickle import read_pickle
from mart_mm.errors import MediaError

ARRAYS = dict(
    c=np.arange(6, dtype=np.float32).reshape(2, 3),
    fortran=np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    big_endian=np.arange(3, dtype='>i2'),
    text=np.array(['ab', 'é']),
    bytes=np.array([b'ab', b'c']),
    empty=np.zeros((0, 4)),
    bool=np.array([True, False]),
)


def dumped(path: Path, content: object, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(content, protocol))
    return path


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_come_out_as_pickle_itself_gives_them(tmp_path: Path, protocol: int) -> None:
    found = read_pickle(dumped(tmp_path / 'x.pkl', ARRAYS, protocol))
    assert found.keys() == ARRAYS.keys()
    for name, expected in ARRAYS.items():
        np.testing.assert_array_equal(found[name], expected)
        assert (found[name].dtype, found[name].shape) == (expected.dtype, expected.shape), name


def test_arrays_of_objects_are_lists(tmp_path: Path) -> None:
    ragged = np.empty(2, dtype=object)
    ragged[0], ragged[1] = np.zeros((2, 3)), np.ones((1, 3))
    content = dict(ids=np.array([['v', 1.5], ['w', None]], dtype=object), ragged=ragged)
    found = read_pickle(dumped(tmp_path / 'x.pkl', content))
    assert found['ids'] == [['v', 1.5], ['w', None]]
    assert [part.tolist() for part in found['ragged']] == [part.tolist() for part in ragged]


def test_pickles_of_python_2(tmp_path: Path) -> None:
    """Protocol 2 as Python 2's NumPy writes it: byte strings hold the numbers."""
    numbers = np.array([1.5, -2.0], dtype='<f4').tobytes()
    dtype = b'cnumpy\ndtype\n(U\x02f4K\x00K\x01tR(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb'
    array = (
        b'cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR(K\x01(K\x02t'
        + dtype
        + b'\x89U\x08'
        + numbers
        + b'tb'
    )
    (tmp_path / 'old.pkl').write_bytes(b'\x80\x02}U\x01a' + array + b's.')
    np.testing.assert_array_equal(read_pickle(tmp_path / 'old.pkl')['a'], [1.5, -2.0])


class State:
    """A dtype whose state is what the test wants, not what NumPy would write."""

    def __init__(self, state: tuple) -> None:
        self.state = state

    def __reduce__(self) -> tuple:
        return np.dtype, ('V8', False, True), self.state


class Forged:
    """An array of such a dtype."""

    def __init__(self, state: tuple) -> None:
        self.state = state

    def __reduce__(self) -> tuple:
        state = (1, (1,), State(self.state), False, b'A' * 8)
        return np.empty(0).__reduce__()[0], (np.ndarray, (0,), b'b'), state


@pytest.mark.parametrize(
    'state',
    [
        (3, '|', None, ('a',), {'a': (np.dtype('O'), 1 << 20)}, 8, 1, 0),
        (3, '|', None, ('a',), {'a': (np.dtype('O'), 0)}, 8, 1, 0),
        (3, '|', (np.dtype('O'), (1,)), None, None, 8, 1, 0),
    ],
    ids=['far field', 'object field', 'object items'],
)
def test_forged_dtypes_reach_no_memory(tmp_path: Path, state: tuple) -> None:
    """NumPy alone would make an array whose items are taken for addresses of objects."""
    path = dumped(tmp_path / 'x.pkl', Forged(state), 2)
    with pytest.raises(MediaError, match="'V8'; only numbers and strings"):
        read_pickle(path)


class Call:
    """Unpickling calls a function."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.reduced = function, arguments

    def __reduce__(self) -> tuple:
        return self.reduced


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (Call(os.mkdir, 'owned'), 'mkdir, which could run code'),
        ({'a': [Call(eval, '__import__("os").mkdir("owned")')]}, 'eval, which could run code'),
        (Call(getattr, [], 'append'), 'getattr, which could run code'),
        (Call(bytes, 1 << 40), 'cannot be read'),
        (dict(a=torch.zeros(2)), 'torch'),
        (list, 'a name where a value should be'),
        (np.array([1 + 2j]), "'c16'; only numbers and strings"),
    ],
)
def test_what_is_no_data_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: object, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = dumped(tmp_path / 'x.pkl', content)
    with pytest.raises(MediaError, match=message) as error:
        read_pickle(path)
    assert 'x.pkl' in str(error.value)
    assert not (tmp_path / 'owned').exists()


def test_no_file_changes_what_names_mean(tmp_path: Path) -> None:
    """A state that is set on a name does not outlive the file."""
    (tmp_path / 'x.pkl').write_bytes(b'cnumpy\ndtype\n}(V_function\nNV__call__\nNub.')
    with pytest.raises(MediaError):
        read_pickle(tmp_path / 'x.pkl')
    assert read_pickle(dumped(tmp_path / 'y.pkl', ARRAYS))['c'].shape == (2, 3)


def test_what_is_shared_is_made_once(tmp_path: Path) -> None:
    """Forty lists of two that share their items would be a million million lists."""
    content: list = [np.zeros(3)]
    for _ in range(40):
        content = [content, content]
    found = read_pickle(dumped(tmp_path / 'x.pkl', content))
    assert found[0] is found[1]
    cycle: list = []
    cycle.append(cycle)
    with pytest.raises(MediaError, match='cannot be read'):
        read_pickle(dumped(tmp_path / 'x.pkl', cycle))
