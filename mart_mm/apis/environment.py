"""Versions, devices, decoders and caches of this machine, for reports of faults."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import av
import torch
from mmengine.utils.dl_utils import collect_env

from mart_mm.lexicon.packed import cache_folder
from mart_mm.version import __version__

PACKAGES = (
    'torch', 'torchvision', 'mmengine', 'mmengine-lite', 'mmcv', 'mmcv-lite', 'mmaction2', 'mmpretrain',
    'transformers', 'numpy', 'opencv-python-headless', 'opencv-python', 'av', 'decord', 'senticnet',
    'faster-whisper', 'onnx', 'onnxruntime',
)  # fmt: skip
_MISSING = 'not installed'
#: what MMEngine tells at length, or what stands elsewhere in the list
_LEFT_OUT = frozenset((
    'PyTorch compiling details', 'PyTorch', 'TorchVision', 'OpenCV', 'MMEngine', 'Python', 'sys.platform',
    'numpy_random_seed', 'MUSA available',
))  # fmt: skip
_DATA_CACHE = Path('data') / '.cache'  # of configs/_base_/default_runtime.py


def describe() -> dict[str, dict[str, str]]:
    """What a report of a fault should hold, by topic; values are text."""
    return dict(versions=_versions(), machine=_machine(), media=_media(), caches=_caches())


def table(found: dict[str, dict[str, str]]) -> str:
    """The same as lines for a person.

    Args:
        found: Of :func:`describe`.
    """
    width = max(len(name) for part in found.values() for name in part)
    lines = []
    for topic, part in found.items():
        lines += ['', f'{topic}:', *(f'  {name:<{width}}  {value}' for name, value in part.items())]
    return '\n'.join(lines[1:])


def _versions() -> dict[str, str]:
    found = {'mart-mm': __version__, 'python': platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = _MISSING
    return found


def _machine() -> dict[str, str]:
    found = {
        'system': platform.platform(),
        'processor cores': str(os.cpu_count()),
        'torch threads': str(torch.get_num_threads()),
    }
    told = {key: str(value) for key, value in collect_env().items() if key not in _LEFT_OUT}
    return found | told


def _media() -> dict[str, str]:
    """The FFmpeg inside PyAV, and whether it has what the project writes and most people hold."""
    libraries = ', '.join(
        f'{name} {".".join(map(str, number))}' for name, number in av.library_versions.items()
    )
    codecs = {
        name: 'decoder' if _has(name, 'r') else 'MISSING'
        for name in (
            'h264',
            'hevc',
            'vp9',
            'av1',
            'mpeg4',
            'aac',
            'mp3',
            'opus',
            'subrip',
            'mov_text',
        )
    }
    return {'FFmpeg in PyAV': libraries} | codecs


def _has(codec: str, mode: str) -> bool:
    try:
        av.Codec(codec, mode)
    except ValueError:  # av.codec.codec.UnknownCodecError
        return False
    return True


def _caches() -> dict[str, str]:
    folders = {'lexicons': cache_folder() / 'lexicons', 'data sets': _DATA_CACHE}
    return {name: f'{folder}: {_size(folder)}' for name, folder in folders.items()}


def _size(folder: Path) -> str:
    if not folder.is_dir():
        return 'empty'
    sizes = list(_file_sizes(folder))
    return f'{len(sizes)} files, {sum(sizes) / 2**20:.1f} MiB'


def _file_sizes(folder: Path) -> Iterable[int]:
    for path in folder.rglob('*'):
        try:
            if path.is_file():
                yield path.stat().st_size
        except FileNotFoundError:  # another process makes room
            continue
