"""What ``tools/``, the command line and scripts call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mart_mm.apis.inferencer import MARTInferencer as MARTInferencer
    from mart_mm.datasets.media.video_arrays import VideoArrays as VideoArrays

_HOME = {
    'MARTInferencer': 'mart_mm.apis.inferencer',
    'VideoArrays': 'mart_mm.datasets.media.video_arrays',
}


def __getattr__(name: str) -> object:  # torch is imported when it is needed, not before
    if name not in _HOME:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
