"""Errors that name the file, the field and the remedy."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches


class MediaError(RuntimeError):
    """A media file cannot be opened, decoded or read to the place that is wanted.

    The data set catches it, reports the file, counts it and goes on.

    Args:
        path: The file.
        reason: What went wrong, in words.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f'{path}: {reason}')
        self.path, self.reason = str(path), reason

    def __reduce__(self) -> tuple:
        return type(self), (self.path, self.reason)


def sum_up(reasons: Iterable[str]) -> str:
    """Count reasons of :class:`MediaError` by kind, the most frequent first.

    Args:
        reasons: What stands behind a colon or in brackets, and numbers, make no kind of their own.

    Returns:
        For example ``'3 x cannot be read as video, 1 x damaged'``.
    """
    kinds = Counter(
        re.sub(r'\d[\d.]*(e[+-]\d+)?', '#', re.split(r': | \(', why)[0]) for why in reasons
    )
    return ', '.join(f'{count} x {kind}' for kind, count in kinds.most_common())


class WeightsError(ValueError):
    """A file of weights is damaged, holds what could run code, or does not fit the model."""


class CheckpointNotSavedError(OSError):
    """A checkpoint could not be written; those that were saved before are kept."""


class NothingToResumeError(ValueError):
    """There are checkpoints, and none of them can be resumed from."""


class TooManyFailuresError(RuntimeError):
    """More media files failed than the run allows."""


class NonFiniteLossError(FloatingPointError):
    """A loss is NaN or infinite; the message lists every loss by name."""


class NonFiniteElsewhereError(NonFiniteLossError):
    """The loss of another process is NaN or infinite; that process lists it."""


def shown(value: object, limit: int = 80) -> str:
    """A value for an error message: escaped, and cut where it is long."""
    text = value if isinstance(value, str) else repr(value)
    cut = f'... ({len(text)} characters)' if len(text) > limit else ''
    text = text[:limit]
    return (repr(text) if isinstance(value, str) else text) + cut


def unknown_name(kind: str, name: object, valid: Iterable[object]) -> str:
    """Say that ``name`` is not a ``kind`` and which valid names are nearest.

    Args:
        kind: What the name should be, e.g. ``'emotion class'``.
        name: What was given.
        valid: All names that would have been right.

    Returns:
        One sentence for an error message.
    """
    names = [str(v) for v in valid]
    near = get_close_matches(str(name)[:100], names, n=3, cutoff=0.5)
    hint = f'did you mean {" or ".join(map(repr, near))}? ' if near else ''
    return f'unknown {kind} {shown(str(name))}: {hint}valid names are {", ".join(names)}'
