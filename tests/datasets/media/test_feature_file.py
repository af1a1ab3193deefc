from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from mart_mm.datasets.media.feature_file import read_features
from mart_mm.datasets.media.plain_pickle import read_pickle
from mart_mm.errors import MediaError

VALUES = np.arange(12, dtype=np.float32).reshape(4, 3)


def test_every_kind_of_file_says_the_same(tmp_path: Path) -> None:
    times = np.array([0.5, 1.0, 1.5, 4.0])
    spans = np.stack([times - 0.25, times + 0.25], 1)
    np.save(tmp_path / 'a.npy', VALUES.astype(np.float64))
    np.savez(tmp_path / 'b.npz', features=VALUES, times=times)
    save_file(dict(features=VALUES, times=spans), tmp_path / 'c.safetensors')
    np.save(tmp_path / 'd.npy', VALUES[0])
    for name, expected in (('a.npy', None), ('b.npz', times), ('c.safetensors', times)):
        found = read_features(tmp_path / name)
        np.testing.assert_array_equal(found.values, VALUES)
        assert found.values.dtype == np.float32
        np.testing.assert_array_equal(found.times, expected)
    assert read_features(tmp_path / 'd.npy').values.shape == (1, 3)


@pytest.mark.parametrize(
    ('arrays', 'message'),
    [
        (dict(x=VALUES), r"no array 'features', only \['x'\]"),
        (dict(features=VALUES * np.nan), '12 of 12 values are not finite, in 4 of 4 vectors'),
        (dict(features=VALUES[None]), r'features have shape \(1, 4, 3\)'),
        (dict(features=VALUES[:0]), r'features have shape \(0, 3\)'),
        (dict(features=VALUES.astype(str)), 'save numbers'),
        (dict(features=VALUES, times=np.arange(3.0)), 'give 4 rising seconds'),
        (dict(features=VALUES, times=np.array([0, 2, 1, 3.0])), 'give 4 rising seconds'),
        (dict(features=np.array([object()] * 2)), 'cannot be read .*allow_pickle'),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, arrays: dict, message: str) -> None:
    np.savez(tmp_path / 'x.npz', **arrays)
    with pytest.raises(MediaError, match=message) as error:
        read_features(tmp_path / 'x.npz')
    assert 'x.npz' in str(error.value)


def test_missing_damaged_and_foreign_files(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match='does not exist'):
        read_features(tmp_path / 'none.npy')
    (tmp_path / 'x.npy').write_bytes(b'no array')
    with pytest.raises(MediaError, match='cannot be read'):
        read_features(tmp_path / 'x.npy')
    (tmp_path / 'x.pt').touch()
    with pytest.raises(MediaError, match=r'numpy\.save'):
        read_features(tmp_path / 'x.pt')


class Evil:
    def __reduce__(self) -> tuple:
        return os.mkdir, ('owned',)


@pytest.mark.parametrize('protocol', range(6))
def test_pickles_run_no_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int
) -> None:
    monkeypatch.chdir(tmp_path)
    content = dict(
        train=OrderedDict(
            vision=VALUES, id=['a', 'é'], n=1.5, more=(None, True, {1}, np.float32(2))
        )
    )
    (tmp_path / 'good.pkl').write_bytes(pickle.dumps(content, protocol))
    found = read_pickle(tmp_path / 'good.pkl')
    np.testing.assert_array_equal(found['train']['vision'], VALUES)
    assert found['train']['id'] == ['a', 'é'] and found['train']['more'][3] == 2
    for payload in (Evil(), dict(a=[Evil()]), np.array([Evil()], dtype=object)):
        (tmp_path / 'bad.pkl').write_bytes(pickle.dumps(payload, protocol))
        with pytest.raises(MediaError, match=r'(mkdir|Evil).*could run code'):
            read_pickle(tmp_path / 'bad.pkl')
        assert not (tmp_path / 'owned').exists()


def test_random_bytes_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    good = pickle.dumps(dict(train=dict(vision=VALUES)), 2)
    refused = 0
    for _ in range(2000):
        content = bytearray(good)
        for place in rng.integers(len(content), size=3):
            content[place] = rng.integers(256)
        (tmp_path / 'x.pkl').write_bytes(bytes(content))
        try:
            read_pickle(tmp_path / 'x.pkl')
        except MediaError:
            refused += 1
    assert refused > 500
