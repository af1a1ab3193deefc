"""Values computed once, kept in files that workers and runs share."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from mart_mm.utils.atomic import replacing

_MAGIC = b'martmm1\n'
_HEADER = struct.Struct('<II')  # length and CRC-32 of the JSON that follows
_SUFFIX = '.entry'
_FILE = '.file'  # in the name of a file that is kept as it is, before its own suffix
_ABANDONED = 3600.0  # seconds after which a temporary file belongs to a process that was killed
#: a process looks at the folder again after it has written this part of the room that was left: as
#: many writers fill the folder at once without passing its limit
_WRITERS = 64
_BLOCK = 2**20  # bytes read at once
_KEPT_SHARE = 0.9  # of the limit, when old entries are removed


class BadEntryError(RuntimeError):
    """An entry is damaged; it has been removed."""


def cache_key(kind: str, **parts: object) -> str:
    """Name of a value: a hash of all that it follows from.

    Args:
        kind: What the value is.
        parts: JSON values and arrays.
    """
    content = json.dumps([kind, parts], sort_keys=True, default=np.ndarray.tolist)
    return hashlib.sha256(content.encode()).hexdigest()


def file_identity(path: str | Path) -> list:
    """What changes when a file does: its resolved path, size and time of change.

    Raises:
        OSError: When there is no such file.
    """
    status = os.stat(path)
    return [os.path.realpath(path), status.st_size, status.st_mtime_ns]


class Entry:
    """A value read from the cache; a context manager.

    Args:
        path: Its file.
        key: Its name.

    Attributes:
        info: A JSON object.
        shape: Of its array, or None.

    Raises:
        FileNotFoundError: When there is none.
        BadEntryError: When it is damaged.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self._file = open(path, 'rb')
        try:
            self._read_header(key)
        except BaseException:
            self.close()
            raise

    def _read_header(self, key: str) -> None:
        head = self._file.read(len(_MAGIC) + _HEADER.size)
        if len(head) < len(_MAGIC) + _HEADER.size or not head.startswith(_MAGIC):
            self._refuse()
        length, checksum = _HEADER.unpack(head[len(_MAGIC) :])
        content = self._file.read(length)
        if len(content) != length or zlib.crc32(content) != checksum:
            self._refuse()
        header = json.loads(content)
        self.info, self.shape = header['info'], header['shape'] and tuple(header['shape'])
        self._dtype, self._rows_per_block = np.dtype(header['dtype']), header['rows_per_block']
        self._checksums, self._start = header['checksums'], self._file.tell()
        self._row = int(self._dtype.itemsize * np.prod(self.shape[1:])) if self.shape else 0
        size = self._start + (self._row * self.shape[0] if self.shape else 0)
        if header['key'] != key or os.fstat(self._file.fileno()).st_size != size:
            self._refuse()

    def _refuse(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)
        raise BadEntryError(f'{self.path}: damaged')

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Rows of the array from ``start`` to before ``stop``; nothing else is read.

        Raises:
            BadEntryError: When they are damaged.
        """
        if stop <= start:
            return np.empty((0, *self.shape[1:]), self._dtype)
        step = self._rows_per_block
        first, last = start // step, (stop - 1) // step
        self._file.seek(self._start + first * step * self._row)
        content = self._file.read((last + 1 - first) * step * self._row)
        size = step * self._row
        for place, index in enumerate(range(first, last + 1)):
            block = memoryview(content)[place * size : (place + 1) * size]
            if zlib.crc32(block) != self._checksums[index]:
                self._refuse()
        rows = np.frombuffer(content, self._dtype).reshape(-1, *self.shape[1:])
        return rows[start - first * step : stop - first * step]

    def close(self) -> None:
        """Release the file."""
        self._file.close()

    def __enter__(self) -> Entry:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class FileCache:
    """A folder of entries; each is a JSON object, with or without an array, or a file as it is.

    Many processes may read and write at once, and be killed at any time: an entry is written beside
    its place and put there whole, and what a reader finds damaged is removed. Where the folder would
    grow beyond its limit, entries that were not read for longest are removed. A disk that is full
    or cannot be written costs the entry and a warning.

    Args:
        folder: Made where missing. Files in it that are no entries are left alone.
        max_bytes: Limit of the folder's size. Writers look at the folder now and then only: several
            at once may pass the limit by at most a 64th of it each, until one of them looks again.

    Raises:
        ValueError: For a limit below one byte.
    """

    ROWS_PER_BLOCK = 64  # of an array; each block has its own checksum

    def __init__(self, folder: str, max_bytes: int = 20 * 2**30) -> None:
        if max_bytes < 1:
            raise ValueError(
                f'max_bytes={max_bytes}: at least 1; leave the cache away to have none'
            )
        self.folder, self.max_bytes = Path(folder).absolute(), max_bytes
        self._allowance = 0  # bytes that may be written before the next look at the folder
        self._has_warned = False

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f'{key}{_SUFFIX}'

    def load(self, key: str) -> Entry | None:
        """The entry, marked as used now; None where there is none that is whole."""
        path = self._path(key)
        try:
            entry = Entry(path, key)
        except (OSError, BadEntryError):
            return None
        with suppress(OSError):  # removed by now, or of a folder that may only be read
            os.utime(path)
        return entry

    def store(self, key: str, info: dict, array: np.ndarray | None = None) -> None:
        """Keep a value.

        Args:
            key: Its name, of :func:`cache_key`.
            info: A JSON object.
            array: Of at least one dimension and at least one row; rows of it can be read alone.
        """
        header, data = dict(key=key, info=info, shape=None, dtype='u1', rows_per_block=0), b''
        header['checksums'] = []
        if array is not None:
            data = memoryview(np.ascontiguousarray(array)).cast('B')
            step = self.ROWS_PER_BLOCK
            size = step * (len(data) // len(array))
            header.update(shape=array.shape, dtype=array.dtype.str, rows_per_block=step)
            header['checksums'] = [
                zlib.crc32(data[start : start + size]) for start in range(0, len(data), size)
            ]
        content = json.dumps(header).encode()
        head = _MAGIC + _HEADER.pack(len(content), zlib.crc32(content)) + content
        try:
            self._make_room(len(head) + len(data))
            with replacing(self._path(key)) as temporary, open(temporary, 'wb') as file:
                file.write(head)
                file.write(data)
        except OSError as error:
            if not self._has_warned:
                warnings.warn(f'cache {self.folder}: entries are not kept ({error})', stacklevel=2)
            self._has_warned = True

    def file(self, key: str, suffix: str, write: Callable[[Path], None]) -> Path:
        """A file that is kept as it is, made where it is missing; it counts as used now.

        Its time of change follows from its content, so that what was computed from it is found again
        after it was removed and made anew.

        Args:
            key: Its name, of :func:`cache_key`.
            suffix: Of the file's name.
            write: Writes it to a path.

        Raises:
            OSError: When there is no room for it, or the folder cannot be written.
        """
        path = self.folder / key[:2] / f'{key}{_FILE}{suffix}'
        if not path.exists():
            with replacing(path) as temporary:
                write(temporary)
                self._make_room(temporary.stat().st_size)
                os.utime(temporary, ns=(time.time_ns(), _checksum(temporary) * 10**9))
        elif os.access(path, os.W_OK):
            os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
        return path

    def _make_room(self, size: int) -> None:
        if size > self._allowance:
            entries = sorted(self._entries())
            total = sum(taken for _, taken, _ in entries)
            if total + size > self.max_bytes:
                for _, taken, path in entries:
                    if total + size <= _KEPT_SHARE * self.max_bytes:
                        break
                    if not path.name.startswith('.'):  # another process is writing it
                        path.unlink(missing_ok=True)
                        total -= taken
            if total + size > self.max_bytes:
                raise OSError(f'{size} bytes do not fit into max_bytes={self.max_bytes}')
            self._allowance = size + (self.max_bytes - total - size) // _WRITERS
        self._allowance -= size

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        """(last use, bytes, path) of each file of the cache; what a killed process left is removed."""
        for folder in self.folder.glob('[0-9a-f][0-9a-f]'):
            for item in os.scandir(folder):
                is_file = _FILE in item.name
                if not is_file and not item.name.endswith(_SUFFIX):
                    continue
                try:
                    status = item.stat()
                except OSError:  # another process removed it
                    continue
                is_temporary = item.name.startswith('.')
                if is_temporary and status.st_mtime < time.time() - _ABANDONED:
                    Path(item.path).unlink(missing_ok=True)
                    continue
                used = status.st_atime if is_file else status.st_mtime
                yield used, status.st_size, Path(item.path)


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open('rb') as file:
        while block := file.read(_BLOCK):
            checksum = zlib.crc32(block, checksum)
    return checksum
