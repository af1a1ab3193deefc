"""A config without its bases, for reading and keeping."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config


def resolved_text(path: str | Path, options: dict | None = None) -> str:
    """Python text of a config as a run reads it, itself a config that inherits from none.

    Args:
        path: The config.
        options: Overrides by dotted key, as of ``--cfg-options``.

    Raises:
        OSError: When the config or one of its bases cannot be read.
        KeyError: When bases have fields in common.
        SyntaxError: When it is no Python.
        TypeError: When an option goes through something that has no fields.
    """
    cfg = Config.fromfile(path)
    cfg.merge_from_dict(options or {})
    return cfg.pretty_text
