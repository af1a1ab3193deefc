"""Find the concepts of a lexicon in a text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import simplemma

from mart_mm.lexicon.base import Lexicon, LexiconEntry

_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
#: English words of grammar, which carry no emotion alone whatever a lexicon says of them
FUNCTION_WORDS = frozenset(
    """a about above after again against all am an and any are as at be because been before being
    below between both but by can could did do does doing down during each few for from further had
    has have having he her here hers herself him himself his how i if in into is it its itself just
    me more most my myself no nor not now of off on once only or other our ours out over own same
    she should so some such than that the their theirs them then there these they this those through
    to too under until up very was we were what when where which while who whom why will with would
    you your yours yourself""".split()
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
    """Words of a text in any script; apostrophes belong to words, hyphens and digits separate them."""
    return [Token(match.group(), match.span()) for match in _TOKEN.finditer(text)]


@lru_cache(maxsize=65536)
def lemma(word: str, language: str = 'en') -> str:
    """Dictionary form of a word in lower case."""
    return simplemma.lemmatize(word.lower(), lang=language).lower()


def find_concepts(
    text: str, lexicon: Lexicon, *, language: str = 'en', keep_function_words: bool = False
) -> list[ConceptMatch]:
    """Longest match from left to right, first as written, then by lemma; matches do not overlap.

    Negation is not treated: SenticNet has many negated concepts of its own.

    Args:
        text: What is searched.
        lexicon: Where concepts are looked up, up to ``lexicon.max_words`` words.
        language: Of the lemmas.
        keep_function_words: Whether a single word of grammar can be a concept.
    """
    tokens = tokenize(text)
    surface = [token.text.lower().replace('’', "'") for token in tokens]
    lemmas = [lemma(word, language) for word in surface]
    matches, start = [], 0
    while start < len(tokens):
        found = None
        for length in range(min(lexicon.max_words, len(tokens) - start), 0, -1):
            stop = start + length
            if length == 1 and not keep_function_words and surface[start] in FUNCTION_WORDS:
                break
            entry = lexicon.lookup(' '.join(surface[start:stop]))
            entry = entry or lexicon.lookup(' '.join(lemmas[start:stop]))
            if entry is not None:
                span = (tokens[start].span[0], tokens[stop - 1].span[1])
                found = ConceptMatch(entry, text[slice(*span)], span)
                break
        if found:
            matches.append(found)
        start += length if found else 1
    return matches
