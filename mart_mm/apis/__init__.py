"""What the tools and the command call; names are imported when they are first used."""

from importlib import import_module

_MODULES = {'get_model': 'mart_mm.apis.models', 'list_models': 'mart_mm.apis.models'}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(_MODULES[name]), name)
