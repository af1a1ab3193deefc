"""The concepts of a lexicon as a tree of words, in arrays that can be mapped from a file."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import or_
from zlib import crc32

import numpy as np

Path = tuple[int, ...]  # numbers of the words of a spelling
_MARKS = 509  # bits of a sieve


class ConceptTree:
    """Concepts word by word: each node is what has been said so far, its children what may follow.

    Nodes are numbered by depth, then by the words that lead to them, so that the children of a node
    are neighbours in the order of their words and a child is found by bisection. Nothing is copied
    from the arrays, which processes can therefore share.

    Args:
        arrays: As :meth:`arrays_of` makes them; 32-bit unsigned unless said.

            ========== ======================================================================
            ``text``   bytes: all words in order, UTF-8
            ``words``  (V + 1,) where each word begins in ``text``
            ``slots``  (power of 2,) 1 + number of a word, at the first free place from that of its
                       CRC-32 on; 0 for a free place
            ``labels`` (N,) word that leads to each node; the root, node 0, has none
            ``parent`` (N,) node before each node; of the root itself
            ``first``  (N + 1,) first child of each node, the last child is before the next's first
            ``number`` (N,) 1 + number of the concept that ends at each node, 0 for none
            ``node``   (C,) node of each concept
            ========== ======================================================================
    """

    root = 0

    def __init__(self, arrays: Mapping[str, memoryview]) -> None:
        self._text, self._words = arrays['text'], arrays['words']
        self._labels, self._parent = arrays['labels'], arrays['parent']
        self._first, self._number, self._node = arrays['first'], arrays['number'], arrays['node']
        self._slots = arrays['slots']

    @staticmethod
    def arrays_of(concepts: Iterable[str]) -> dict[str, np.ndarray]:
        """The arrays for these concepts, none of them twice, words separated by one blank.

        Raises:
            ValueError: When one stands twice.
        """
        split = [concept.split(' ') for concept in concepts]
        words = sorted({_encode(word) for path in split for word in path})
        numbers = {word: number for number, word in enumerate(words)}
        paths = [tuple(numbers[_encode(word)] for word in path) for path in split]
        nodes: dict[Path, int] = {(): 0}
        for depth in range(1, max(map(len, paths), default=0) + 1):
            for path in sorted({path[:depth] for path in paths if len(path) >= depth}):
                nodes[path] = len(nodes)
        parent = np.array([nodes[path[:-1]] for path in nodes], np.int64)
        ends = np.array([nodes[path] for path in paths], np.int64)
        number = np.zeros(len(nodes), np.int64)
        number[ends] = np.arange(1, len(ends) + 1)
        if np.count_nonzero(number) != len(ends):
            raise ValueError('a concept stands twice')
        children = np.r_[-1, parent[1:]]  # the root is no child
        arrays = dict(
            words=np.cumsum([0, *map(len, words)]),
            slots=_slots(words),
            labels=[path[-1] if path else 0 for path in nodes],
            parent=parent,
            first=np.searchsorted(children, np.arange(len(nodes) + 1)),
            number=number,
            node=ends,
        )
        packed = {name: np.asarray(array, np.uint32) for name, array in arrays.items()}
        return packed | dict(text=np.frombuffer(b''.join(words), np.uint8))

    @classmethod
    def of(cls, concepts: Iterable[str]) -> ConceptTree:
        """A tree in memory; see :meth:`arrays_of`."""
        return cls({name: memoryview(array) for name, array in cls.arrays_of(concepts).items()})

    def __len__(self) -> int:
        """Number of concepts."""
        return len(self._node)

    def __iter__(self) -> Iterator[str]:
        """Concepts in the order in which they were given."""
        return map(self.spelling, self._node)

    @property
    def max_words(self) -> int:
        """Words of the longest concept, which the last node ends."""
        node, words = len(self._parent) - 1, 0
        while node:
            node, words = self._parent[node], words + 1
        return words

    def _word(self, number: int) -> bytes:
        return bytes(self._text[self._words[number] : self._words[number + 1]])

    def path(self, spelling: str) -> Path | None:
        """The words of a spelling, or None where a word of it is in no concept."""
        path, slots = [], self._slots
        for word in map(_encode, spelling.split(' ')):
            slot = crc32(word) % len(slots)
            while (number := slots[slot] - 1) >= 0 and self._word(number) != word:
                slot = (slot + 1) % len(slots)
            if number < 0:
                return None
            path.append(number)
        return tuple(path)

    def after(self, node: int, path: Path) -> int | None:
        """The node that words behind a node lead to, or None."""
        labels, first = self._labels, self._first
        for word in path:
            stop = first[node + 1]
            node = bisect_left(labels, word, first[node], stop)
            if node == stop or labels[node] != word:
                return None
        return node

    def goes_on(self, node: int) -> bool:
        """Whether more words can follow."""
        return self._first[node] < self._first[node + 1]

    def mark(self, path: Path) -> int:
        """A bit for the first word of a path; several words share one."""
        return 1 << path[0] % _MARKS

    def followers(self, node: int) -> int:
        """The marks of all words that can follow."""
        labels = self._labels[self._first[node] : self._first[node + 1]]
        return reduce(or_, (1 << label % _MARKS for label in labels), 0)

    def number(self, node: int) -> int | None:
        """Number of the concept that ends at a node, or None."""
        return self._number[node] - 1 if self._number[node] else None

    def spelling(self, node: int) -> str:
        """The words that lead to a node."""
        text, bounds, words = self._text, self._words, []
        while node:
            word, node = self._labels[node], self._parent[node]
            words.append(str(text[bounds[word] : bounds[word + 1]], 'utf-8', 'surrogatepass'))
        return ' '.join(reversed(words))


def _encode(word: str) -> bytes:
    return word.encode('utf-8', 'surrogatepass')


def _slots(words: Sequence[bytes]) -> np.ndarray:
    slots = np.zeros(2 << len(words).bit_length(), np.uint32)  # at most half of them are taken
    for number, word in enumerate(words):
        slot = crc32(word) % len(slots)
        while slots[slot]:
            slot = (slot + 1) % len(slots)
        slots[slot] = number + 1
    return slots
