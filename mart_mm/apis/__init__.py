"""What ``tools/``, the command line and scripts call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mart_mm.apis.models import get_model as get_model
    from mart_mm.apis.models import list_models as list_models

_HOME = {
    'get_model': 'mart_mm.apis.models',
    'list_models': 'mart_mm.apis.models',
}


def __getattr__(name: str) -> object:  # torch is imported when it is needed, not before
    if name not in _HOME:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
