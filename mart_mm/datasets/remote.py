"""Media that lie behind an address, or in a tar archive: read from local copies.

An address is ``scheme://...``: ``http`` and ``https``, and whatever else MMEngine's file backends know
(``s3`` and ``petrel`` with their client, those that a project registers). A member of an archive is
written as if the archive were a folder: ``shards/0001.tar/joy/1.mp4``; the archive may itself lie behind
an address.
"""

from __future__ import annotations

import os
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath

from mmengine import fileio

from mart_mm.datasets.cache import FileCache, cache_key, file_identity
from mart_mm.errors import MediaError
from mart_mm.lexicon.transcript import SUFFIXES as TRANSCRIPT_SUFFIXES
from mart_mm.lexicon.transcript import find_sidecar
from mart_mm.utils.download import DownloadError, download, is_web_address

#: keys of a record that name one file each
_FILES = ('video_path', 'audio_path', 'transcript_path')
_ADDRESS = re.compile(r'^[A-Za-z][A-Za-z0-9+.-]*://')
_MEMBER = re.compile(r'^(.+?\.tar)/(.+)$', re.DOTALL)
_BLOCK = 2**20


def is_address(path: str | Path) -> bool:
    """Whether a path is an address, ``scheme://...``."""
    return bool(_ADDRESS.match(str(path)))


def split_member(path: str | Path) -> tuple[str, str] | None:
    """Archive and member of a path into a tar archive, None for any other path."""
    found = _MEMBER.match(str(path))
    if found and (is_address(path) or Path(found[1]).is_file()):
        return found[1], found[2]
    return None


def is_remote(path: str | Path) -> bool:
    """Whether a path can only be read from a copy."""
    return is_address(path) or split_member(path) is not None


def located(folder: str | Path, path: str) -> str:
    """A path below a folder, an address or an archive; an address or absolute path stays as it is."""
    if is_address(path):
        return path
    return f'{str(folder).rstrip("/")}/{path}' if is_address(folder) else str(Path(folder) / path)


def exists(path: str | Path) -> bool:
    """Whether a path is there; of an address it is not known before it is fetched, and True."""
    parts = split_member(path)
    if is_address(path):
        return True
    if parts is None:
        return os.path.exists(Path(path))  # False, not an error, for a name that is too long
    with suppress(MediaError):
        return parts[1] in members(parts[0])
    return False


def members(archive: str) -> dict[str, tuple[int, int]]:
    """Where each file of an uncompressed tar archive begins in it, and how many bytes it has.

    Of an archive that is cut off, the members that are whole count.

    Raises:
        MediaError: When it is no uncompressed tar archive.
    """
    try:
        return _members(archive, tuple(file_identity(archive)))
    except (tarfile.TarError, OSError) as error:
        raise MediaError(archive, f'is no uncompressed tar archive ({error})') from error


@lru_cache(maxsize=256)
def _members(archive: str, identity: tuple) -> dict[str, tuple[int, int]]:
    _, size, _ = identity
    found = {}
    with tarfile.open(archive, 'r:') as tar:
        with suppress(tarfile.ReadError):  # it is cut off here
            for member in tar:
                if member.isfile() and member.offset_data + member.size <= size:
                    name = str(PurePosixPath(member.name))
                    found[name] = member.offset_data, member.size
    return found


@contextmanager
def local_copies(
    record: dict, cache: FileCache | None, backend_args: dict | None = None
) -> Iterator[dict]:
    """A record whose files are local; errors name the files as the record did.

    Copies are kept in the cache, without one until the block ends. A copy that cannot be read is not
    kept. In an archive, a transcript beside the video (``1.srt`` for ``1.mp4``) is the record's, where
    it has no other.

    Args:
        record: Of a data set.
        cache: Where copies are kept.
        backend_args: Of MMEngine's file backends; None chooses by the scheme.

    Raises:
        MediaError: When a file cannot be fetched, also what is raised in the block, with the names
            of the record.
        ImportError: When the scheme needs a package that is not installed.
    """
    with ExitStack() as stack:
        copies = _Copies(stack, cache, backend_args)
        local = dict(record)
        for key in _FILES:
            if is_remote(record.get(key) or ''):
                local[key] = copies.of(record[key])
        if any(is_remote(path) for path in (record.get('features') or {}).values()):
            local['features'] = {
                name: copies.of(path) if is_remote(path) else path
                for name, path in record['features'].items()
            }
        if not _has_transcript(local.get('transcript_path')):
            local['transcript_path'] = copies.transcript(record) or local.get('transcript_path')
        try:
            yield local
        except MediaError as error:
            if error.path not in copies.sources:
                raise
            Path(error.path).unlink(missing_ok=True)
            raise MediaError(copies.sources[error.path], error.reason) from error


def _has_transcript(path: str | None) -> bool:
    return bool(path) and (Path(path).is_file() or find_sidecar(path) is not None)


class _Copies:
    """Makes local copies.

    Args:
        stack: Removes what is not kept.
        cache: Keeps them, or None.
        backend_args: Of MMEngine's file backends.

    Attributes:
        sources: What each copy is of.
    """

    def __init__(
        self, stack: ExitStack, cache: FileCache | None, backend_args: dict | None
    ) -> None:
        self._stack, self._cache, self._backend_args = stack, cache, backend_args
        self.sources: dict[str, str] = {}

    def of(self, path: str) -> str:
        """The copy of a file."""
        parts = split_member(path)
        if parts is None:
            copy = self._keep(path, lambda target: fetch(path, target, self._backend_args))
        else:
            archive = self._archive(parts[0])
            copy = self._keep(
                path, lambda target: _extract(path, archive, parts[1], target), archive
            )
        self.sources[copy] = path
        return copy

    def transcript(self, record: dict) -> str | None:
        """The copy of a transcript beside the video in its archive, None where there is none."""
        parts = split_member(record.get('video_path') or '')
        if parts is None:
            return None
        inside, stem = (
            members(self._archive(parts[0])),
            str(PurePosixPath(parts[1]).with_suffix('')),
        )
        names = (f'{stem}{suffix}' for suffix in TRANSCRIPT_SUFFIXES)
        return next((self.of(f'{parts[0]}/{name}') for name in names if name in inside), None)

    def _archive(self, path: str) -> str:
        return self.of(path) if is_address(path) else path

    def _keep(self, path: str, write: Callable[[Path], None], archive: str | None = None) -> str:
        suffix = PurePosixPath(path).suffix
        suffix = suffix if re.fullmatch(r'\.\w{1,8}', suffix) else ''
        if self._cache is not None:
            with suppress(OSError):  # no room in the cache
                source = archive and file_identity(archive)
                key = cache_key('copy', path=path, archive=source)
                return str(self._cache.file(key, suffix, write))
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix='mart_mm_'))
        target = Path(folder) / f'copy{suffix}'
        try:
            write(target)
        except OSError as error:
            raise MediaError(path, f'its copy cannot be written ({error})') from error
        return str(target)


def _extract(path: str, archive: str, member: str, target: Path) -> None:
    try:
        inside = members(archive)
    except MediaError as error:
        raise MediaError(path, f'{archive} {error.reason}') from error
    if member not in inside:
        raise MediaError(path, 'the archive has no such member, or ends before it does')
    start, size = inside[member]
    with open(archive, 'rb') as tar, target.open('wb') as out:
        tar.seek(start)
        while size:
            block = tar.read(min(size, _BLOCK))
            if not block:
                raise MediaError(path, 'the archive ends before it does')
            out.write(block)
            size -= len(block)


def fetch(path: str, target: Path, backend_args: dict | None = None) -> None:
    """Write what an address holds to a file.

    Args:
        path: The address.
        target: The file.
        backend_args: Of MMEngine's file backends; None chooses by the scheme.

    Raises:
        MediaError: When it cannot be had whole.
        ImportError: When the scheme needs a package that is not installed.
        OSError: When the file cannot be written.
    """
    if backend_args is None and is_web_address(path):
        try:
            download(path, target)  # MMEngine's backend may wait for ever, and checks no length
        except DownloadError as error:
            raise MediaError(path, f'cannot be fetched ({error})') from error
        return
    try:
        content = fileio.get(path, backend_args=backend_args)
    except ImportError:
        raise
    except Exception as error:  # whatever a backend raises, one file is concerned
        raise MediaError(path, f'cannot be fetched ({type(error).__name__}: {error})') from error
    target.write_bytes(content)
