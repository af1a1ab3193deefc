"""What the tools, the command and scripts call; names are imported when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mart_mm.apis.inferencer import MARTInferencer as MARTInferencer
    from mart_mm.apis.models import get_model as get_model
    from mart_mm.apis.models import list_models as list_models
    from mart_mm.datasets.media.video_arrays import VideoArrays as VideoArrays

_MODULES = {
    'MARTInferencer': 'mart_mm.apis.inferencer',
    'VideoArrays': 'mart_mm.datasets.media.video_arrays',
    'get_model': 'mart_mm.apis.models',
    'list_models': 'mart_mm.apis.models',
}


def __getattr__(name: str) -> object:  # torch is imported when it is needed, not before
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
