"""Import every module of a package, so that its components register themselves."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from importlib import import_module


def import_submodules(package: str, path: Iterable[str]) -> None:
    """Import all modules below ``package``, depth first.

    Args:
        package: Dotted name of the package, ``__name__`` of its ``__init__``.
        path: The package's ``__path__``.
    """
    for info in pkgutil.walk_packages(path, prefix=f'{package}.'):
        import_module(info.name)
