"""A lexicon in one file that is mapped into memory: processes share its pages."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import struct
import sys
import tempfile
import warnings
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from mart_mm.lexicon.base import Lexicon, LexiconEntry, normalise_concept
from mart_mm.lexicon.concept_tree import ConceptTree
from mart_mm.utils.atomic import replacing
from mart_mm.utils.code_version import code_version

#: to be raised with the layout
FORMAT = 1
_MAGIC = b'martlex\n'
_HEAD = struct.Struct('<II')  # length of the header, CRC-32 of all behind this
_ALIGNMENT = 8
_BLOCK = 1 << 20  # bytes read at once
#: a larger source that has the size and time of change of the one that was packed counts as the
#: same without being read
_ALWAYS_HASHED = 4 << 20

Reader = Callable[[], dict[str, LexiconEntry]]


class BadPackError(ValueError):
    """A file is no packed lexicon, or a damaged one."""


def cache_folder() -> Path:
    """Where packed lexicons are kept when no folder is given: the user's cache folder.

    A user without home has a folder of their own among the temporary files.
    """
    home = os.environ.get('XDG_CACHE_HOME')
    try:
        return Path(home or Path.home() / '.cache') / 'mart_mm'
    except RuntimeError:  # neither HOME nor an entry in the list of users
        return Path(tempfile.gettempdir()) / f'mart_mm-{os.getuid()}'


def pack(entries: dict[str, LexiconEntry], about: dict) -> bytes:
    """The content of a packed lexicon.

    Concepts mostly share what is said of them with many others, so this is kept once.

    Args:
        entries: By concept, which is that of the entry.
        about: JSON values to find in :attr:`Pack.about`.
    """
    profiles: dict[str, int] = {}
    profile = [
        profiles.setdefault(json.dumps(entry[1:]), len(profiles)) for entry in entries.values()
    ]
    texts = [text.encode() for text in profiles]
    arrays = ConceptTree.arrays_of(entries) | dict(
        profile=np.array(profile, np.uint32),
        profiles=np.cumsum([0, *map(len, texts)]).astype(np.uint32),
        profile_text=np.frombuffer(b''.join(texts), np.uint8),
    )
    sections, body = {}, b''
    for name, array in arrays.items():
        sections[name] = len(body), array.itemsize, array.size
        body += array.tobytes() + b'\0' * (-array.nbytes % _ALIGNMENT)
    header = dict(about=about, format=FORMAT, byteorder=sys.byteorder, sections=sections)
    content = json.dumps(header).encode()
    content += b' ' * (-(len(_MAGIC) + _HEAD.size + len(content)) % _ALIGNMENT)
    return _MAGIC + _HEAD.pack(len(content), zlib.crc32(content + body)) + content + body


class Pack:
    """A packed lexicon, read where it lies.

    Args:
        buffer: All bytes of it; not checked but for what is read first.

    Attributes:
        about: What :func:`pack` was told.
        tree: The concepts.

    Raises:
        BadPackError: When this is none, or of another version.
    """

    def __init__(self, buffer: bytes | mmap.mmap) -> None:
        try:
            length, _ = _head(buffer[: len(_MAGIC) + _HEAD.size])
            start = len(_MAGIC) + _HEAD.size + length
            header = json.loads(buffer[start - length : start])
            if (header['format'], header['byteorder']) != (FORMAT, sys.byteorder):
                raise BadPackError('of another version')
            arrays = {}
            for name, (offset, itemsize, size) in header['sections'].items():
                part = memoryview(buffer)[start + offset : start + offset + itemsize * size]
                arrays[name] = part.cast('I') if itemsize == 4 else part
            self.about: dict = header['about']
            self.tree = ConceptTree(arrays)
            self._profile, self._profiles = arrays['profile'], arrays['profiles']
            self._profile_text = arrays['profile_text']
            self._said = lru_cache(maxsize=4096)(self._read_profile)
        except (KeyError, TypeError, struct.error, json.JSONDecodeError) as error:
            raise BadPackError(f'damaged ({error})') from error

    @classmethod
    def open(cls, path: Path) -> Pack:
        """Map a file, after a check that it is as it was written.

        Raises:
            OSError: When it cannot be read.
            BadPackError: When it is damaged, no packed lexicon, or of another version.
        """
        with open(path, 'rb') as file:
            _, expected = _head(file.read(len(_MAGIC) + _HEAD.size))
            checksum = 0
            while block := file.read(_BLOCK):  # mapped pages would count as this process's memory
                checksum = zlib.crc32(block, checksum)
            if checksum != expected:
                raise BadPackError('damaged')
            return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def entry(self, node: int) -> LexiconEntry | None:
        """What is said of the concept that ends at a node of the tree, or None where none does."""
        number = self.tree.number(node)
        if number is None:
            return None
        return LexiconEntry(self.tree.spelling(node), *self._said(self._profile[number]))

    def _read_profile(self, number: int) -> tuple[int, float, tuple[str, ...], dict[str, float]]:
        text = self._profile_text[self._profiles[number] : self._profiles[number + 1]]
        polarity, value, moods, degrees = json.loads(str(text, 'utf-8'))
        return polarity, value, tuple(map(sys.intern, moods)), degrees


def _head(content: bytes) -> tuple[int, int]:
    """Length of the header, and checksum of it and what follows."""
    if len(content) != len(_MAGIC) + _HEAD.size or not content.startswith(_MAGIC):
        raise BadPackError('not a packed lexicon')
    return _HEAD.unpack(content[len(_MAGIC) :])


class PackedLexicon(Lexicon):
    """A lexicon that is read from its source once and from its packed form ever after.

    The packed form is made anew when the source or the code that reads it changes, and when it is
    damaged. The code is that of the modules of the class and its bases. The packed form is written
    whole or not at all, so that processes may start together; where it cannot be written it is
    kept in memory, with a warning.

    Args:
        source: File with what the lexicon says.
        read: Reads it, once, if need be.
        folder: Where the packed form is kept, in ``lexicons``; None takes :func:`cache_folder`.

    Raises:
        OSError: When the source cannot be read.
    """

    def __init__(self, source: Path, read: Reader, folder: str | None) -> None:
        where = Path(folder) if folder else cache_folder()
        name = hashlib.sha256(f'{type(self).__name__} {os.path.realpath(source)}'.encode())
        self.path = where / 'lexicons' / f'{source.stem}-{name.hexdigest()[:16]}.lexicon'
        kinds = [kind for kind in type(self).__mro__ if issubclass(kind, Lexicon)]
        code = code_version(*kinds, ConceptTree)
        self._pack = _open(self.path, source, code) or _build(self.path, source, code, read)
        self.digest: str = self._pack.about['digest']
        self.tree = self._pack.tree
        #: entry of the concept that ends at a node of ``tree``, or None
        self.entry = lru_cache(maxsize=16384)(self._pack.entry)

    def lookup(self, concept: str) -> LexiconEntry | None:
        """See :class:`Lexicon`."""
        path = self.tree.path(normalise_concept(concept))
        node = None if path is None else self.tree.after(self.tree.root, path)
        return None if node is None else self.entry(node)

    def __iter__(self) -> Iterator[str]:
        """Concepts, in the order of the source."""
        return iter(self.tree)

    def __len__(self) -> int:
        """Number of concepts."""
        return len(self.tree)


def _open(path: Path, source: Path, code: str) -> Pack | None:
    """The packed form, or None where there is none of this source and this code as they are now."""
    try:
        found = Pack.open(path)
    except OSError:
        return None
    except BadPackError as error:
        warnings.warn(f'{path}: {error}; the lexicon is packed again', stacklevel=4)
        return None
    size, changed = _identity(source)
    if found.about['source'] != [size, changed] or found.about.get('code') != code:
        return None
    if size <= _ALWAYS_HASHED and found.about['digest'] != _digest(source):
        return None
    return found


def _build(path: Path, source: Path, code: str, read: Reader) -> Pack:
    # before it is read: it may change meanwhile
    about = dict(source=_identity(source), digest=_digest(source), code=code)
    content = pack(read(), about)
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(content)
        return Pack.open(path)
    except OSError as error:
        warnings.warn(f'{path}: the packed lexicon is not kept ({error})', stacklevel=4)
        return Pack(content)


def _identity(source: Path) -> list[int]:
    status = os.stat(source)
    return [status.st_size, status.st_mtime_ns]


def _digest(source: Path) -> str:
    digest = hashlib.sha256()
    with open(source, 'rb') as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
