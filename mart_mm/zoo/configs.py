"""From what a person calls a config to its file."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from mart_mm.zoo.index import find_model, index_folder, read_index

_SCOPE = 'mart_mm::'


class UnknownConfigError(FileNotFoundError):
    """No file and no model of the index has this name; the message gives the nearest ones."""


def find_config(name: str | Path) -> Path | None:
    """The config that ``name`` means, None where there is none.

    Args:
        name: A path; else a config of this package, ``mart/mart_mbt_planted``, with or without
            ``mart_mm::``, ``configs/`` and ``.py``; else a name or alias of the model index.
    """
    if Path(name).is_file():
        return Path(name)
    short = _short(name)
    path = index_folder() / 'configs' / f'{short}.py'
    if path.is_file():
        return path
    entry = find_model(short)
    return entry and entry.config


def resolve_config(name: str | Path) -> Path:
    """As :func:`find_config`, for what has to be there.

    Raises:
        UnknownConfigError: With the nearest names.
    """
    found = find_config(name)
    if found is None:
        names = [entry.name for entry in read_index()]
        names += [alias for entry in read_index() for alias in entry.aliases]
        names += [_short(entry.config.relative_to(index_folder())) for entry in read_index()]
        near = get_close_matches(_short(name), names, n=3, cutoff=0.5)
        hint = f'did you mean {" or ".join(map(repr, near))}? ' if near else ''
        raise UnknownConfigError(
            f'{str(name)!r} is no config file and no name of a model: {hint}'
            '`mart-mm models` lists all names'
        )
    return found


def _short(name: str | Path) -> str:
    """A config's path below ``configs`` without suffix; a name of a model stays as it is."""
    text = Path(name).as_posix().removeprefix(_SCOPE).removeprefix('configs/')
    return text.removesuffix('.py')
