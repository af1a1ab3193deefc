from __future__ import annotations

import gc
import itertools
import re
from collections.abc import Iterator

import numpy as np
import pytest
import simplemma
from hypothesis import given, settings
from hypothesis import strategies as st

from mart_mm.lexicon.base import Lexicon, LexiconEntry
from mart_mm.lexicon.matching import (
    _INDICES,
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


class ListedWords(WordList):
    """One that can list its concepts."""

    def __iter__(self) -> Iterator[str]:
        return iter(self.concepts)


def plain_loop(
    text: str, lexicon: Lexicon, *, keep_function_words: bool = False
) -> list[tuple[str, str, int, int]]:
    """At each word every run of words, the longest first, in every mix of forms."""
    words = [
        (match.group(), *match.span()) for match in re.finditer(r"[a-z]+('[a-z]+)*", text, re.I)
    ]
    forms = [
        list(dict.fromkeys([word.lower(), simplemma.lemmatize(word.lower(), 'en').lower()]))
        for word, _, _ in words
    ]
    result, place = [], 0
    while place < len(words):
        found = None
        for length in range(lexicon.max_words, 0, -1):
            run = words[place : place + length]
            if len(run) < length or any(
                sign in text[first[2] : second[1]]
                for first, second in itertools.pairwise(run)
                for sign in '.,;:!?'
            ):
                continue
            mixes = list(itertools.product(*forms[place : place + length]))
            if length > 4:
                mixes = [mixes[0], mixes[-1]]
            for mix in mixes:
                name = ' '.join(mix)
                is_barred = name in FUNCTION_WORDS and not keep_function_words
                if found is None and not is_barred and lexicon.lookup(name):
                    found = (name, text[run[0][1] : run[-1][2]], run[0][1], run[-1][2])
                    step = length
            if found:
                break
        if found:
            result.append(found)
        place += step if found else 1
    return result


def as_tuples(text: str, lexicon: Lexicon, **kwargs: object) -> list[tuple[str, str, int, int]]:
    return [
        (match.entry.concept, match.word, *match.span)
        for match in find_concepts(text, lexicon, **kwargs)
    ]


#: inflected and not, written alike as noun and verb, of grammar, with an apostrophe
VOCABULARY = [
    'cry', 'cries', 'crying', 'child', 'children', "child's", 'Happy', 'happier', 'burst',
    'BURSTING', 'tears', 'tear', 'in', 'into', 'the', 'other', 'others', "don't", 'do', 'up',
]  # fmt: skip
LEMMAS = sorted(
    {lemma(word.lower()) for word in VOCABULARY} | {word.lower() for word in VOCABULARY}
)


@settings(max_examples=300, deadline=None)
@given(
    words=st.lists(st.sampled_from(VOCABULARY), max_size=25),
    gaps=st.lists(
        st.sampled_from([' ', ' ', ' ', '-', ', ', '. ', '\n', ' 42 ']), min_size=25, max_size=25
    ),
    concepts=st.sets(
        st.lists(st.sampled_from(LEMMAS), min_size=1, max_size=6).map(' '.join), max_size=30
    ),
    of_text=st.lists(st.tuples(st.integers(0, 24), st.integers(1, 5)), max_size=8),
    max_words=st.integers(1, 6),
    keep_function_words=st.booleans(),
)
def test_equal_to_a_plain_loop(
    words, gaps, concepts, of_text, max_words, keep_function_words
) -> None:
    text = ''.join(itertools.chain(*zip(words, gaps, strict=False)))
    for start, length in of_text:  # so that long ones do occur
        concepts |= {' '.join(lemma(word.lower()) for word in words[start : start + length])} - {''}
    for kind in (WordList, ListedWords):
        lexicon = kind(*concepts)
        lexicon.max_words = max_words
        options = dict(keep_function_words=keep_function_words)
        assert as_tuples(text, lexicon, **options) == plain_loop(text, lexicon, **options)


def test_equal_to_a_plain_loop_on_senticnet() -> None:
    lexicon, rng = SenticNet6Lexicon(), np.random.default_rng(0)
    concepts = [name for name in lexicon if name.isascii() and re.fullmatch('[a-z ]+', name)]
    signs, grammar = np.array([' ', ' ', ' ', '-', ', ', '. ']), sorted(FUNCTION_WORDS)
    pieces = []
    for concept in rng.choice(concepts, 1500):
        pieces += [str(concept), rng.choice(['', 's', 'ing']), rng.choice(signs)]
        if rng.random() < 0.5:
            pieces += [str(rng.choice(grammar)), ' ']
    text = ''.join(pieces)
    expected = plain_loop(text, lexicon)
    assert as_tuples(text, lexicon) == expected
    lengths = np.bincount([len(name.split()) for name, *_ in expected])
    assert len(lengths) == 5 and lengths[1:4].min() > 100 and lengths[4] > 5
    assert any(name != word.lower() for name, word, *_ in expected)  # by their lemma


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


@pytest.mark.parametrize('sign', '.,;:!?…。，！？')
def test_every_sign_ends_a_clause(sign: str) -> None:
    assert found(f'happy{sign}birthday', 'happy birthday', 'happy') == ['happy']


def test_order_of_spellings() -> None:
    """Of several spellings in the lexicon the one whose first words are as written counts."""
    orders = ['cries children', 'cries child', 'cry children', 'cry child']
    for first in range(4):
        for kind in (WordList, ListedWords):
            (match,) = find_concepts('cries children', kind(*orders[first:]))
            assert match.entry.concept == orders[first]


def test_longer_runs_count_as_written_or_by_all_lemmas() -> None:
    text = 'cries children cries children cries'
    for kind in (WordList, ListedWords):
        for concept, is_found in (
            (text, True),
            ('cry child cry child cry', True),
            ('cry child cry child cries', False),
        ):
            lexicon = kind(concept)
            lexicon.max_words = 5
            assert bool(find_concepts(text, lexicon)) == is_found


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
    """Mixes of written forms and lemmas double with each word: only the first few are tried."""
    lexicon, asked = WordList(), []
    lexicon.max_words = 40
    lexicon.lookup = asked.append
    assert find_concepts('crying children ' * 20, lexicon) == []
    assert max(len(name.split()) for name in asked) == 40
    assert len(asked) < 40 * (2 + 4 + 8 + 16 + 36 * 2)


def test_a_lexicon_that_lists_its_concepts_is_asked_for_no_other() -> None:
    lexicon, asked = ListedWords('cry', 'burst into tears', 'burst'), []
    lexicon.lookup = lambda name: asked.append(name) or WordList.lookup(lexicon, name)
    text = 'the children cried and burst into the room, bursting into tears'
    assert [match.word for match in find_concepts(text, lexicon)] == [
        'cried',
        'burst',
        'bursting into tears',
    ]
    assert asked == ['cry', 'burst', 'burst into tears']


def test_an_index_lives_as_long_as_its_lexicon() -> None:
    lexicon = ListedWords('cry')
    find_concepts('cry', lexicon)
    find_concepts('cry', lexicon, language='de')
    before = len(_INDICES)
    del lexicon
    gc.collect()
    assert len(_INDICES) < before
