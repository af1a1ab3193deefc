"""Find the concepts of a lexicon in a text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple
from weakref import WeakKeyDictionary

import simplemma
from simplemma.strategies.dictionaries.dictionary_factory import SUPPORTED_LANGUAGES

from mart_mm.lexicon.base import Lexicon, LexiconEntry, normalise_concept

# vowel signs and accents that follow their letter are no letters for ``re``, but belong to the word
_SIGNS = ''.join(c for c in map(chr, range(0x300, 0x3100)) if unicodedata.category(c)[0] == 'M')
_WORD = rf'[^\W\d_]+(?:[{_SIGNS}]+[^\W\d_]*)*'
_TOKEN = re.compile(rf"{_WORD}(?:['’]{_WORD})*")
_TOKEN_OR_CLAUSE_END = re.compile(f'({_TOKEN.pattern})|[.,;:!?…。，！？]')
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


class _Everything:
    """Stands for the concepts of a lexicon that cannot list them: any words may be one."""

    def __contains__(self, words: str) -> bool:
        return True


class _Word(NamedTuple):
    """A word of a text, prepared for the search.

    Attributes:
        forms: Spellings that count, as written first.
        concepts: Those that may be a concept alone.
        beginnings: Those with which a longer concept may begin.
    """

    forms: tuple[str, ...]
    concepts: tuple[str, ...]
    beginnings: tuple[str, ...]


_Candidate = tuple[int, str]  # index behind its last word, spelling


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
        self.concepts: Container[str] = _Everything()
        self.beginnings: Container[str] = _Everything()
        if isinstance(lexicon, Iterable):
            self.concepts = frozenset(lexicon)
            self.beginnings = frozenset(
                concept[: blank.start()]
                for concept in self.concepts
                for blank in re.finditer(' ', concept)
            )
        self.word = lru_cache(maxsize=65536)(self._word)

    def _word(self, text: str) -> _Word:
        written = normalise_concept(text)
        forms = tuple(dict.fromkeys((written, normalise_concept(lemma(written, self._language)))))
        return _Word(
            forms,
            tuple(
                form
                for form in forms
                if form in self.concepts
                and (self._keep_function_words or form not in FUNCTION_WORDS)
            ),
            tuple(form for form in forms if form in self.beginnings),
        )

    def candidates(self, words: Sequence[_Word], start: int, limit: int) -> Iterator[_Candidate]:
        """Spellings that may be a concept of the words from ``start`` on, the longest first."""
        runs, heads, stop = [], words[start].beginnings, start + 1
        while heads and stop < limit:
            if stop - start < _MAX_MIXED:
                forms = [f'{head} {form}' for head in heads for form in words[stop].forms]
            else:  # the number of mixes would double with each word
                run = words[start : stop + 1]
                forms = [' '.join(word.forms[place] for word in run) for place in (0, -1)]
            stop += 1
            runs.append((stop, forms))
            heads = [form for form in forms if form in self.beginnings]
        for stop, forms in reversed(runs):
            for form in forms:
                if form in self.concepts:
                    yield stop, form
        for form in words[start].concepts:
            yield start + 1, form


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
            faster when it can be iterated, which gives its concepts.
        language: Of the lemmas.
        keep_function_words: Whether a single word of :data:`FUNCTION_WORDS` can be a concept.
    """
    options = language, keep_function_words
    indices = _INDICES.setdefault(lexicon, {})
    if options not in indices:
        indices[options] = _Index(lexicon, *options)
    index, matches = indices[options], []
    for spans in _clauses(text):
        words, start = [index.word(text[first:last]) for first, last in spans], 0
        while start < len(words):
            limit = min(start + lexicon.max_words, len(words))
            for stop, form in index.candidates(words, start, limit):
                entry = lexicon.lookup(form)
                if entry is not None:
                    span = (spans[start][0], spans[stop - 1][1])
                    matches.append(ConceptMatch(entry, text[span[0] : span[1]], span))
                    start = stop
                    break
            else:
                start += 1
    return matches


def _clauses(text: str) -> Iterator[list[tuple[int, int]]]:
    """Spans of the words of each clause."""
    spans: list[tuple[int, int]] = []
    for match in _TOKEN_OR_CLAUSE_END.finditer(text):
        if match.lastindex:
            spans.append(match.span())
        elif spans:
            yield spans
            spans = []
    yield spans
