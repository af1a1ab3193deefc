"""Whether two work directories hold the same run, bit for bit."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from mart_mm.visualization.run_log import read_run

#: of one process's life, not of the run's; MMEngine's version ends with the commit of the folder
_OWN = ('cfg', 'experiment_name', 'time', 'eta', 'mmengine_version')
_TIMES = ('time', 'data_time', 'memory')


def differences(expected: Path, got: Path) -> list[str]:
    """In the checkpoint at the end, that of the best epoch and that of pretraining; in all logged scalars
    and the videos that could not be read; and in which other checkpoints there are."""
    found: list[str] = []
    names = [{path.name for path in folder.glob('*.pth')} for folder in (expected, got)]
    found += [f'{name}: only in one' for name in sorted(names[0] ^ names[1])]
    last = Path((expected / 'last_checkpoint').read_text()).name
    for name in sorted(names[0] & names[1]):
        if name == last or not name.startswith(('iter_', 'epoch_')):
            _compare(*(plain(folder / name) for folder in (expected, got)), name, found)
    _compare(*(scalars(folder) for folder in (expected, got)), 'scalars', found)
    _compare(*(failures(folder) for folder in (expected, got)), 'failures', found)
    return found


def plain(path: Path) -> dict:
    """A checkpoint without times and the name of its folder."""
    checkpoint = torch.load(path, weights_only=True)
    checkpoint.pop('failures')  # within an epoch those of the first process; failures.json has all
    hub = checkpoint['message_hub']
    for part in (checkpoint['meta'], hub['runtime_info']):
        for key in _OWN:
            part.pop(key, None)
        for key, value in part.items():
            if isinstance(value, str):
                part[key] = value.replace(str(path.parent), '')
    logged = hub['log_scalars']
    for key in [key for key in logged if key.rpartition('/')[2] in _TIMES]:
        del logged[key]
    present = logged.keys() | hub['runtime_info'].keys()  # the hub also marks what has been removed
    hub['resumed_keys'] = {k: v for k, v in hub['resumed_keys'].items() if k in present}
    return checkpoint


def scalars(folder: Path) -> list[dict]:
    """What the run logged, without times."""
    return [{k: v for k, v in r.items() if k not in _TIMES} for r in read_run(folder)]


def failures(folder: Path) -> dict:
    """Names of videos that could not be read, with the reason."""
    file = sorted(folder.glob('*/failures.json'))[-1]
    return json.loads(file.read_text())


def _compare(a: object, b: object, where: str, found: list[str]) -> None:
    if type(a) is not type(b):
        found.append(f'{where}: {type(a).__name__} and {type(b).__name__}')
    elif isinstance(a, torch.Tensor):
        if a.dtype != b.dtype or not torch.equal(a, b):
            found.append(where)
    elif isinstance(a, dict):
        found += [f'{where}.{key}: only in one' for key in sorted(a.keys() ^ b.keys(), key=str)]
        for key in a.keys() & b.keys():
            _compare(a[key], b[key], f'{where}.{key}', found)
    elif isinstance(a, (list, tuple)):
        if len(a) != len(b):
            found.append(f'{where}: {len(a)} and {len(b)}')
        for index, (x, y) in enumerate(zip(a, b, strict=False)):
            _compare(x, y, f'{where}[{index}]', found)
    elif a != b:
        found.append(f'{where}: {a!r} and {b!r}')
