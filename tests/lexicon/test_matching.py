from __future__ import annotations

import itertools
import re
import time

import numpy as np
import pytest

from mart_mm.lexicon.base import Lexicon, LexiconEntry
from mart_mm.lexicon.matching import (
    FUNCTION_WORDS,
    check_language,
    find_concepts,
    lemma,
    tokenize,
)
from mart_mm.lexicon.senticnet import SenticNet6Lexicon


class WordList(Lexicon):
    """A lexicon of bare concepts."""

    digest = ''

    def __init__(self, *concepts: str) -> None:
        self.concepts = frozenset(concepts)

    def lookup(self, concept: str) -> LexiconEntry | None:
        if concept not in self.concepts:
            return None
        return LexiconEntry(concept, 1, 1.0, ('joy',), {'joy': 1.0})

    def __len__(self) -> int:
        return len(self.concepts)


def found(text: str, *concepts: str, **kwargs: object) -> list[str]:
    return [match.entry.concept for match in find_concepts(text, WordList(*concepts), **kwargs)]


def naive(text: str, concepts: set[str]) -> list[tuple[str, int, int]]:
    """All concepts of up to 4 words as written, by comparing word lists at every place."""
    words = [(m.group().lower(), m.start(), m.end()) for m in re.finditer(r'[a-z]+', text)]
    result, place = [], 0
    while place < len(words):
        step = 1
        for length in (4, 3, 2, 1):
            part = words[place : place + length]
            name = ' '.join(word for word, _, _ in part)
            if len(part) == length and name in concepts:
                result.append((name, part[0][1], part[-1][2]))
                step = length
                break
        place += step
    return result


def test_longest_match_equals_a_naive_search() -> None:
    rng = np.random.default_rng(0)
    letters = ['zab', 'zeb', 'zib', 'zob', 'zub']  # no English words: each is its own lemma
    assert [lemma(word) for word in letters] == letters
    longest = 0
    for _ in range(40):
        words = rng.choice(letters, size=40)
        starts = rng.integers(36, size=rng.integers(1, 25))
        concepts = {' '.join(words[i : i + rng.integers(1, 5)]) for i in starts}
        text = ' '.join(words)
        matches = find_concepts(text, WordList(*concepts))
        expected = naive(text, concepts)
        assert [(m.entry.concept, *m.span) for m in matches] == expected
        longest += sum(len(name.split()) == 4 for name, _, _ in expected)
    assert longest > 40  # concepts of four words did occur


def test_planted_concepts_of_senticnet() -> None:
    lexicon = SenticNet6Lexicon()
    planted = ['happy birthday', 'burst into tears', 'crying', 'good morning']
    for order in itertools.permutations(planted, 2):
        text = f'The {order[0].upper()}, of the {order[1]}!'
        matches = find_concepts(text, lexicon)
        assert [match.word.lower() for match in matches] == list(order)


def test_spans_are_slices_of_the_text_in_order_without_overlap() -> None:
    text = (
        "«She’d been\tbursting   into tears» – it wasn't a happy-birthday\n"
        "for the CHILDREN, mother's"
    )
    matches = find_concepts(text, SenticNet6Lexicon())
    assert [match.entry.concept for match in matches][:2] == ['burst into tears', 'happy birthday']
    end = 0
    for match in matches:
        assert match.word == text[slice(*match.span)]
        assert end <= match.span[0] < match.span[1]
        end = match.span[1]


def test_words_match_by_lemma() -> None:
    assert found('the children cried', 'child', 'cry') == ['child', 'cry']
    assert found('Crying babies', 'crying baby') == ['crying baby']  # a mix
    assert found('bursting into tears', 'burst into tears') == ['burst into tears']
    assert found('crying', 'cry', 'crying') == ['crying']  # as written comes first
    assert found("my mother's", 'mother') == ['mother']
    assert found('Häuser', 'haus', language='de') == ['haus']


def test_a_concept_stays_within_a_clause() -> None:
    concepts = ('happy birthday', 'happy', 'birthday')
    assert found('I was happy. Birthday cake', *concepts) == ['happy', 'birthday']
    assert found('happy, birthday', *concepts) == ['happy', 'birthday']
    assert found('happy\nbirthday!', *concepts) == ['happy birthday']
    assert found('happy-birthday', *concepts) == ['happy birthday']


def test_function_words_are_no_cues_alone() -> None:
    assert found('the other one', 'the', 'other') == []
    assert found('others', 'other') == []  # nor by their lemma
    assert found("don't", 'do') == []
    assert found('a lot', 'a', 'lot', 'a lot') == ['a lot']
    assert found('the other', 'the', 'other', keep_function_words=True) == ['the', 'other']
    assert all(word == word.lower() and tokenize(word) for word in FUNCTION_WORDS)


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ("don't stop", ["don't", 'stop']),
        ('it’s', ['it’s']),
        ("'quoted' rock'n'roll", ['quoted', "rock'n'roll"]),
        ('ear-to-ear', ['ear', 'to', 'ear']),
        ('snake_case 42 2nd', ['snake', 'case', 'nd']),
        ('Žluťoučký kůň', ['Žluťoučký', 'kůň']),
        ('cafe\u0301 au lait', ['cafe\u0301', 'au', 'lait']),
        ('नमस्ते दुनिया', ['नमस्ते', 'दुनिया']),
        ('ترجمه و', ['ترجمه', 'و']),
        ('... !!', []),
        ('', []),
    ],
)
def test_tokens(text: str, words: list[str]) -> None:
    tokens = tokenize(text)
    assert [token.text for token in tokens] == words
    assert [text[slice(*token.span)] for token in tokens] == words


def test_accents_in_two_encodings_are_one_word() -> None:
    assert found('cafe\u0301', 'caf\u00e9') == ['caf\u00e9']


def test_unknown_language_is_refused() -> None:
    check_language('de')
    with pytest.raises(ValueError, match="language='xx'.*'en'"):
        check_language('xx')


def test_long_runs_stay_cheap() -> None:
    lexicon = WordList('never found')
    lexicon.max_words = 40
    start = time.perf_counter()
    assert find_concepts('crying children ' * 40, lexicon) == []
    assert time.perf_counter() - start < 5
