"""Find the concepts of a lexicon in a text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, reduce
from itertools import accumulate
from operator import or_
from typing import NamedTuple
from weakref import WeakKeyDictionary

import simplemma
from simplemma.strategies.dictionaries.dictionary_factory import SUPPORTED_LANGUAGES

from mart_mm.lexicon.base import Lexicon, LexiconEntry, normalise_concept
from mart_mm.lexicon.concept_tree import ConceptTree
from mart_mm.lexicon.packed import PackedLexicon

# vowel signs and accents that follow their letter are no letters for ``re``, but belong to the word
_SIGNS = ''.join(c for c in map(chr, range(0x300, 0x3100)) if unicodedata.category(c)[0] == 'M')
_WORD = rf'[^\W\d_]+(?:[{_SIGNS}]+[^\W\d_]*)*'
_TOKEN = re.compile(rf"{_WORD}(?:['’]{_WORD})*")
_SPLIT = re.compile(f'({_TOKEN.pattern})')
_CLAUSE_END = re.compile('[.,;:!?…。，！？]')
#: longest run of words of which every mix of written forms and lemmas is tried
_MAX_MIXED = 4
#: English words of grammar, which carry no emotion alone whatever a lexicon says of them
FUNCTION_WORDS = frozenset(
    """a about above after again against all am an and any are as at be because been before being
    below between both but by can could did do does doing down during each few for from further had
    has have having he her here hers herself him himself his how i if in into is it its itself just
    me more most my myself no nor not now of off on once only or other our ours out over own same
    she should so some such than that the their theirs them then there these they this those through
    to too under until up upon us very was we were what when where whether which while who whom
    whose why will with within would you your yours yourself yourselves ourselves themselves shall
    must might although though since unless either neither among onto per via""".split()
)


class Token(NamedTuple):
    """A word and its place.

    Attributes:
        text: As written.
        span: (start, end) in characters.
    """

    text: str
    span: tuple[int, int]


class ConceptMatch(NamedTuple):
    """A concept found.

    Attributes:
        entry: What the lexicon says.
        word: The words as written.
        span: (start, end) in characters.
    """

    entry: LexiconEntry
    word: str
    span: tuple[int, int]


def tokenize(text: str) -> list[Token]:
    """Words of a text in scripts that separate words by blanks.

    Apostrophes and accents belong to words; hyphens, digits and other signs separate them.
    """
    return [Token(match.group(), match.span()) for match in _TOKEN.finditer(text)]


def check_language(language: str) -> None:
    """Make sure that there are lemmas for a language, without loading them.

    Raises:
        ValueError: With the accepted codes.
    """
    if language not in SUPPORTED_LANGUAGES:
        raise ValueError(
            f'language={language!r}: no lemmas for it; accepted are {sorted(SUPPORTED_LANGUAGES)}'
        )


@lru_cache(maxsize=65536)
def lemma(word: str, language: str = 'en') -> str:
    """Dictionary form of a word in lower case."""
    return simplemma.lemmatize(word.lower(), lang=language).lower()


class _AnyWords:
    """Stands for the tree of a lexicon that cannot list its concepts: any words may be one.

    A node is what has been said so far.
    """

    root = ''

    def path(self, spelling: str) -> str:
        """As :meth:`ConceptTree.path`."""
        return spelling

    def after(self, node: str, path: str) -> str:
        """As :meth:`ConceptTree.after`."""
        return f'{node} {path}' if node else path

    def goes_on(self, node: str) -> bool:
        """As :meth:`ConceptTree.goes_on`."""
        return True

    def mark(self, path: str) -> int:
        """As :meth:`ConceptTree.mark`."""
        return 1

    def followers(self, node: str) -> int:
        """As :meth:`ConceptTree.followers`."""
        return 1

    def number(self, node: str) -> int:
        """As :meth:`ConceptTree.number`."""
        return 0

    def spelling(self, node: str) -> str:
        """As :meth:`ConceptTree.spelling`."""
        return node


class _Word(NamedTuple):
    """A word of a text, prepared for the search; paths and nodes are those of the lexicon's tree.

    Attributes:
        paths: Of its spellings that count, as written first; None for one that is in no concept.
        known: Those that are in one.
        alone: Nodes that may be a concept of this word alone.
        beginnings: Nodes with which a longer concept may begin.
        marks: A sieve for pairs of words: bits of its own spellings, see :meth:`ConceptTree.mark`.
        followers: Bits of the words that may follow in a concept. Where they share none with the next
            word's ``marks``, no concept begins with this pair.
    """

    paths: tuple
    known: tuple
    alone: tuple
    beginnings: tuple
    marks: int
    followers: int


class _Index:
    """What can be known of a lexicon's words before a text is seen; it is kept from text to text.

    Args:
        lexicon: One that can be iterated is asked only for concepts it has; with any other, each run
            of words is looked up.
        language: Of the lemmas.
        keep_function_words: Whether a single word of grammar can be a concept.
    """

    def __init__(self, lexicon: Lexicon, language: str, keep_function_words: bool) -> None:
        self._language, self._keep_function_words = language, keep_function_words
        if isinstance(lexicon, PackedLexicon):
            self.tree = lexicon.tree
        elif isinstance(lexicon, Iterable):
            self.tree = ConceptTree.of(dict.fromkeys(lexicon))
        else:
            self.tree = _AnyWords()
        self.word = lru_cache(maxsize=65536)(self._word)

    def _word(self, text: str) -> _Word:
        tree, written = self.tree, normalise_concept(text)
        forms = dict.fromkeys((written, normalise_concept(lemma(written, self._language))))
        paths, alone, beginnings = [tree.path(form) for form in forms], [], []
        for form, path in zip(forms, paths, strict=True):
            node = None if path is None else tree.after(tree.root, path)
            if node is None:
                continue
            is_barred = form in FUNCTION_WORDS and not self._keep_function_words
            if not is_barred and tree.number(node) is not None:
                alone.append(node)
            if tree.goes_on(node):
                beginnings.append(node)
        known = tuple(path for path in paths if path is not None)
        marks, followers = map(tree.mark, known), map(tree.followers, beginnings)
        return _Word(
            tuple(paths),
            known,
            tuple(alone),
            tuple(beginnings),
            reduce(or_, marks, 0),
            reduce(or_, followers, 0),
        )

    def entries(self, lexicon: Lexicon) -> Callable[[int | str], LexiconEntry | None]:
        """Gives the entry of the concept that ends at a node, or None where none does."""
        if isinstance(lexicon, PackedLexicon):
            return lexicon.entry
        tree = self.tree

        def entry(node: int | str) -> LexiconEntry | None:
            return None if tree.number(node) is None else lexicon.lookup(tree.spelling(node))

        return entry

    def longer(
        self, words: Sequence[_Word], is_first: Sequence[bool], start: int, limit: int
    ) -> list[tuple[int, list]]:
        """What two and more words from ``start`` on lead to.

        Args:
            words: Of the text.
            is_first: Whether each word begins a clause.
            start: First word.
            limit: Index behind the last word that may be used.

        Returns:
            Index behind the last word and nodes, the spelling whose first words are as written
            first, for two words, three, and so on.
        """
        after, runs, heads = self.tree.after, [], words[start].beginnings
        for stop in range(start + 1, limit):
            if is_first[stop]:
                break
            nodes = []
            if stop - start < _MAX_MIXED:
                for head in heads:
                    for path in words[stop].known:
                        node = after(head, path)
                        if node is not None:
                            nodes.append(node)
            else:  # the number of mixes would double with each word
                run = words[start : stop + 1]
                pure = self._pure(run, 0), self._pure(run, -1)
                nodes = [node for node in pure if node is not None]
            if not nodes:
                break
            runs.append((stop + 1, nodes))
            heads = nodes
        return runs

    def _pure(self, words: Sequence[_Word], place: int) -> int | str | None:
        """Node of words that are all as written (``place`` 0) or all lemmas (-1), or None."""
        node = self.tree.root
        for word in words:
            path = word.paths[place]
            node = None if path is None else self.tree.after(node, path)
            if node is None:
                return None
        return node


_INDICES: WeakKeyDictionary[Lexicon, dict[tuple[str, bool], _Index]] = WeakKeyDictionary()


def find_concepts(
    text: str, lexicon: Lexicon, *, language: str = 'en', keep_function_words: bool = False
) -> list[ConceptMatch]:
    """Longest match from left to right; matches do not overlap.

    Each word counts as written or as its lemma ("bursting into tears" is ``burst into tears``), as
    written first. A concept of several words stays within a clause: no sign such as a full stop or
    a comma stands between its words. Negation is not treated.

    Args:
        text: What is searched.
        lexicon: Where concepts are looked up, up to ``lexicon.max_words`` words. It is searched
            faster when it can be iterated, which gives its concepts, and fastest when it is packed.
        language: Of the lemmas.
        keep_function_words: Whether a single word of :data:`FUNCTION_WORDS` can be a concept.
    """
    options = language, keep_function_words
    indices = _INDICES.setdefault(lexicon, {})
    if options not in indices:
        indices[options] = _Index(lexicon, *options)
    index = indices[options]
    entry_of, longer = index.entries(lexicon), index.longer
    pieces = _SPLIT.split(text)  # what is between words, a word, what is between words, ...
    words, gaps = [*map(index.word, pieces[1::2])], pieces[::2]
    clause_ends = {gap for gap in set(gaps) if _CLAUSE_END.search(gap)}
    is_first = [gap in clause_ends for gap in gaps]
    ends = [*accumulate(map(len, pieces))]  # of the pieces, in characters
    matches, start, count, max_words = [], 0, len(words), lexicon.max_words
    while start < count:
        word, stop, entry = words[start], start + 1, None
        if stop < count and word.followers & words[stop].marks and not is_first[stop]:
            limit = min(start + max_words, count)
            for behind, nodes in reversed(longer(words, is_first, start, limit)):
                for node in nodes:
                    entry = entry_of(node)
                    if entry is not None:
                        break
                if entry is not None:
                    stop = behind
                    break
        if entry is None:
            for node in word.alone:
                entry = entry_of(node)
                if entry is not None:
                    break
            else:
                start = stop
                continue
        span = ends[2 * start], ends[2 * stop - 1]
        matches.append(ConceptMatch(entry, text[span[0] : span[1]], span))
        start = stop
    return matches
