"""Files of weights that would run code, fill the memory or never end if they were simply opened."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer


class Call:
    """Unpickling it calls a function."""

    def __init__(self, function: Callable, *arguments: object, state: object = None) -> None:
        self.reduced = function, arguments, state

    def __reduce__(self) -> tuple:
        return self.reduced if self.reduced[2] is not None else self.reduced[:2]


def archive(content: object, **options: object) -> bytes:
    """What ``torch.save`` writes."""
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def with_code(marker: Path) -> dict[str, object]:
    """Objects that make the file ``marker`` when they are unpickled, by their trick."""
    touch = Call(os.system, f'touch {marker}')
    reach = Call(getattr, HistoryBuffer, 'mean')
    forged = Call(
        np.dtype, 'V8', False, True,
        state=(3, '|', None, ('a',), {'a': (np.dtype('O'), 0)}, 8, 1, 0),
    )  # fmt: skip
    return {
        'os.system': touch,
        'eval': Call(eval, f"open({str(marker)!r}, 'w')"),
        'getattr': Call(getattr, Call(getattr, reach, '__globals__'), 'get'),
        'storage': Call(torch.storage._load_from_bytes, archive(touch)),
        'import': Call(__import__, 'antigravity'),
        'forged dtype': Call(
            np.empty(0).__reduce__()[0], np.ndarray, (0,), b'b',
            state=(1, (1,), forged, False, b'A' * 8),
        ),
    }  # fmt: skip


def laughs() -> object:
    """A list of lists of one list: few bytes, more values than there are atoms."""
    node: object = [0]
    for _ in range(90):
        node = [node, node]
    return node


def write_tar(path: Path, content: bytes) -> None:
    """The format of torch before 0.4."""
    with tarfile.open(path, 'w') as file:
        for name in ('sys_info', 'pickle', 'storages', 'tensors'):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))


def write_bomb(path: Path) -> None:
    """64 MiB in 64 KiB."""
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as file:
        file.writestr('a/data.pkl', bytes(64 << 20))
        file.writestr('a/version', '3')


def write_announcing(path: Path) -> None:
    """A directory that says 1 GiB of a tensor of a few bytes."""
    content = bytearray(archive(dict(state_dict=dict(w=torch.zeros(4)))))
    entry = content.rindex(b'PK\x01\x02', 0, content.rindex(b'data/0'))
    content[entry + 20 : entry + 28] = (1 << 30).to_bytes(4, 'little') * 2
    path.write_bytes(content)


def write_script(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.jit.save(torch.jit.trace(torch.nn.Linear(1, 1), torch.zeros(1, 1)), path)


def write_all(folder: Path, marker: Path) -> dict[str, Path]:
    """One file of each kind, by the kind."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = dict(state_dict=dict(w=torch.zeros(4)), meta={})
    content: dict[str, bytes | Callable[[Path], None]] = {}
    for kind, thing in with_code(marker).items():
        content[kind] = archive(weights | dict(extra=thing))
        content[f'{kind}, old format'] = archive(
            weights | dict(extra=thing), _use_new_zipfile_serialization=False
        )
    content |= {
        'pickle': pickle.dumps(with_code(marker)['os.system']),
        'tar': lambda path: write_tar(path, pickle.dumps(with_code(marker)['os.system'])),
        'TorchScript': write_script,
        'bomb': write_bomb,
        'announced': write_announcing,
        'laughs': archive(weights | dict(extra=laughs())),
        'endless tensor': archive(dict(state_dict=dict(w=torch.zeros(1).expand(1 << 40)))),
        'module': archive(dict(state_dict=torch.nn.Linear(1, 1))),
    }
    paths = {}
    for kind, made in content.items():
        paths[kind] = folder / f'{kind.replace(" ", "_").replace(",", "")}.pth'
        if callable(made):
            made(paths[kind])
        else:
            paths[kind].write_bytes(made)
    return paths


@pytest.fixture(scope='session')
def harmful(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """``files`` by kind, and ``marker``, which their code would make."""
    folder = tmp_path_factory.mktemp('harmful')
    return SimpleNamespace(
        files=write_all(folder / 'files', folder / 'ran'),
        marker=folder / 'ran',
        with_code=with_code,
        archive=archive,
    )
