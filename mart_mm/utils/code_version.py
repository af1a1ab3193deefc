"""What changes when code does, so that values it computed are not used any more."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path


@cache
def code_version(*objects: Callable) -> str:
    """Hash of the source of the modules that define these classes and functions.

    It changes with what they compute.
    """
    digest = hashlib.sha256()
    for name in sorted({item.__module__ for item in objects}):
        source = getattr(sys.modules[name], '__file__', None)  # none in an interactive session
        digest.update(Path(source).read_bytes() if source else name.encode())
    return digest.hexdigest()
