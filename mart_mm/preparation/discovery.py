"""Find the files of a download, however it was unpacked and renamed."""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mart_mm.datasets.base import VIDEO_SUFFIXES
from mart_mm.lexicon.transcript import find_sidecars
from mart_mm.preparation.plan import PreparationError

#: those the data sets look for first; the others need a copy
RAW_SUFFIXES = (
    *VIDEO_SUFFIXES, '.m4v', '.mpg', '.mpeg', '.3gp', '.ts', '.m2ts', '.ogv', '.asf', '.divx', '.vob',
    '.rm', '.rmvb',
)  # fmt: skip


def walk(root: Path, enters: Callable[[str], bool] = lambda name: True) -> Iterator[Path]:
    """All files below a folder in the order of their paths, through links, hidden ones left out.

    Args:
        root: The folder.
        enters: Whether to enter a folder of this name.
    """
    seen = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(
            name for name in folders if not name.startswith(('.', '__MACOSX')) and enters(name)
        )
        # macOS leaves ._name beside name
        yield from (Path(folder, name) for name in sorted(files) if not name.startswith('.'))


def find_videos(root: Path, enters: Callable[[str], bool] = lambda name: True) -> list[Path]:
    """The video files among :func:`walk`'s."""
    return [path for path in walk(root, enters) if path.suffix.lower() in RAW_SUFFIXES]


def find_named(root: Path, names: Iterable[str]) -> dict[str, Path]:
    """Files by name, whatever its case, the one nearest to the root first.

    Raises:
        PreparationError: When two files of one name lie equally deep and differ.
    """
    wanted = {name.lower(): name for name in names}
    found: dict[str, list[Path]] = defaultdict(list)
    for path in walk(root):
        if path.name.lower() in wanted:
            found[wanted[path.name.lower()]].append(path)
    chosen = {}
    for name, paths in found.items():
        depth = min(len(path.parts) for path in paths)
        first, *others = [path for path in paths if len(path.parts) == depth]
        for other in others:
            if other.read_bytes() != first.read_bytes():
                raise PreparationError(
                    f'{first} and {other} differ: name the folder of the right one with --lists'
                )
        chosen[name] = first
    return chosen


def stem(path: Path) -> str:
    """Name without the suffix of a video; other dots in it are kept."""
    return path.name[: -len(path.suffix)] if path.suffix.lower() in RAW_SUFFIXES else path.name


def subtitles_of(path: Path, target: str) -> dict[str, Path]:
    """Subtitle files beside a video, by their place in the prepared folder.

    Args:
        path: The video.
        target: ``subtitles/...`` without suffix.
    """
    beside = find_sidecars(path.parent / stem(path))
    return {f'{target}{found.suffix.lower()}': found for found in beside}


class VideoIndex:
    """Looks up videos by the names that lists have for them.

    Names are compared as they are first, then without case, then by letters and digits alone, since
    downloads, archives and file systems drop or replace other signs; the suffix may be part of the
    listed name. A likeness counts only if a single file has it and no list names that file exactly.

    Args:
        root: Of the download.
        paths: Video files below it.
    """

    def __init__(self, root: Path, paths: Iterable[Path]) -> None:
        self.root, self.paths = root, list(paths)
        self._by_key: dict[tuple[int, str], list[Path]] = defaultdict(list)
        for path in self.paths:
            for name in {stem(path), path.name}:
                for level, key in enumerate(_keys(name)):
                    if path not in self._by_key[level, key]:
                        self._by_key[level, key].append(path)

    def find(self, name: str, reserved: Iterable[Path] = ()) -> tuple[Path | None, str]:
        """The video of a listed name.

        Args:
            name: Such as ``anger/1000``: the last part names the file, those before it folders that
                must lie above it, in this order.
            reserved: Files that belong to other names.

        Returns:
            The file or None, and a remark: how it was found if not exactly, or why it was not.
        """
        *folders, last = name.split('/')
        taken = set(reserved)
        elsewhere: list[Path] = []
        for level, key in enumerate(_keys(last)):
            found = self._by_key.get((level, key), [])
            if level:
                found = [path for path in found if path not in taken]
            inside = [path for path in found if self._is_below(path, folders)]
            best = [path for path in inside if stem(path) == last] or inside
            if len(best) == 1 or best and not level:
                return best[0], self._remark(best, last)
            if len(best) > 1:
                return None, f'{len(best)} files have a similar name: {self._names(best)}'
            elsewhere = elsewhere or found
        if len(elsewhere) == 1:
            return elsewhere[0], f'found as {self._names(elsewhere)}'
        if elsewhere:
            return None, f'{len(elsewhere)} files in other folders: {self._names(elsewhere)}'
        return None, 'no file of this name'

    def exact(self, name: str) -> list[Path]:
        """The files that have exactly this name, in the right folder."""
        *folders, last = name.split('/')
        found = self._by_key.get((0, last), [])
        return [path for path in found if self._is_below(path, folders)]

    def _remark(self, best: list[Path], last: str) -> str:
        if len(best) > 1:
            return f'the first of {len(best)} files is used: {self._names(best)}'
        return '' if stem(best[0]) == last else f'found as {self._names(best)}'

    def _names(self, paths: list[Path]) -> str:
        return ', '.join(str(path.relative_to(self.root)) for path in paths[:3])

    def _is_below(self, path: Path, folders: list[str]) -> bool:
        above = iter([part.casefold() for part in path.relative_to(self.root).parts[:-1]])
        return all(folder.casefold() in above for folder in folders)


def _keys(name: str) -> list[str]:
    """From exact to lenient."""
    plain = unicodedata.normalize('NFKC', name).casefold()
    while Path(plain).suffix in RAW_SUFFIXES:
        plain = plain[: -len(Path(plain).suffix)]
    letters = ''.join(sign for sign in plain if sign.isalnum())
    return [name, plain, letters or plain]
