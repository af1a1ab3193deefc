"""Find the concepts of a lexicon in a text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import simplemma
from simplemma.strategies.dictionaries.dictionary_factory import SUPPORTED_LANGUAGES

from mart_mm.lexicon.base import Lexicon, LexiconEntry, normalise_concept

# vowel signs and accents that follow their letter are no letters for ``re``, but belong to the word
_SIGNS = ''.join(c for c in map(chr, range(0x300, 0x3100)) if unicodedata.category(c)[0] == 'M')
_WORD = rf'[^\W\d_](?:[^\W\d_]|[{_SIGNS}])*'
_TOKEN = re.compile(rf"{_WORD}(?:['’]{_WORD})*")
_CLAUSE_END = re.compile(r'[.,;:!?…。，！？]')
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


def _forms(written: Sequence[str], lemmas: Sequence[str]) -> Iterator[str]:
    """Spellings of a run of words, as written first, all lemmas last."""
    if len(written) > _MAX_MIXED:  # the number of mixes doubles with each word
        yield from dict.fromkeys((' '.join(written), ' '.join(lemmas)))
        return
    for words in product(*(dict.fromkeys(pair) for pair in zip(written, lemmas, strict=True))):
        yield ' '.join(words)


def find_concepts(
    text: str, lexicon: Lexicon, *, language: str = 'en', keep_function_words: bool = False
) -> list[ConceptMatch]:
    """Longest match from left to right; matches do not overlap.

    Each word counts as written or as its lemma ("bursting into tears" is ``burst into tears``), as
    written first. A concept of several words stays within a clause: no sign such as a full stop or
    a comma stands between its words. Negation is not treated.

    Args:
        text: What is searched.
        lexicon: Where concepts are looked up, up to ``lexicon.max_words`` words.
        language: Of the lemmas.
        keep_function_words: Whether a single word of :data:`FUNCTION_WORDS` can be a concept.
    """
    tokens = tokenize(text)
    written = [normalise_concept(token.text) for token in tokens]
    lemmas = [lemma(word, language) for word in written]
    clause_stop = _clause_stops(text, tokens)
    matches, start = [], 0
    while start < len(tokens):
        found = None
        for stop in range(min(start + lexicon.max_words, clause_stop[start]), start, -1):
            for form in _forms(written[start:stop], lemmas[start:stop]):
                if not keep_function_words and form in FUNCTION_WORDS:
                    continue
                entry = lexicon.lookup(form)
                if entry is not None:
                    span = (tokens[start].span[0], tokens[stop - 1].span[1])
                    found = ConceptMatch(entry, text[slice(*span)], span)
                    break
            if found:
                break
        if found:
            matches.append(found)
        start = stop if found else start + 1
    return matches


def _clause_stops(text: str, tokens: Sequence[Token]) -> list[int]:
    """For each token the index behind the last token of its clause."""
    stops = [len(tokens)] * len(tokens)
    for index in range(len(tokens) - 2, -1, -1):
        gap = text[tokens[index].span[1] : tokens[index + 1].span[0]]
        stops[index] = index + 1 if _CLAUSE_END.search(gap) else stops[index + 1]
    return stops
