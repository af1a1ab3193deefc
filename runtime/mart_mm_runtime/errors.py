"""Errors that name the file, the field and the remedy."""

from __future__ import annotations


class MediaError(RuntimeError):
    """A media file cannot be opened, decoded or read to the place that is wanted.

    Args:
        path: The file.
        reason: What went wrong, in words.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f'{path}: {reason}')
        self.path, self.reason = str(path), reason


class ModelError(ValueError):
    """A file that is no exported model, or arrays that do not fit one."""
