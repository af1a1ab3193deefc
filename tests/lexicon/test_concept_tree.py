from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mart_mm.lexicon.concept_tree import ConceptTree

WORDS = st.sampled_from(['a', 'b', 'ab', 'é', '', "it's", '\ud800', '愛', 'z' * 300])
SPELLINGS = st.lists(WORDS, min_size=1, max_size=5).map(' '.join)


def number_of(tree: ConceptTree, spelling: str) -> int | None:
    path = tree.path(spelling)
    node = None if path is None else tree.after(tree.root, path)
    return None if node is None else tree.number(node)


@settings(deadline=None)
@given(concepts=st.lists(SPELLINGS, unique=True, max_size=20), others=st.lists(SPELLINGS))
def test_equal_to_a_dictionary(concepts: list[str], others: list[str]) -> None:
    tree, expected = ConceptTree.of(concepts), {name: i for i, name in enumerate(concepts)}
    assert list(tree) == concepts and len(tree) == len(concepts)
    assert tree.max_words == max((len(name.split(' ')) for name in concepts), default=0)
    for name in concepts + others:
        assert number_of(tree, name) == expected.get(name)


@settings(deadline=None)
@given(concepts=st.lists(SPELLINGS, unique=True, max_size=20))
def test_steps_from_node_to_node(concepts: list[str]) -> None:
    tree = ConceptTree.of(concepts)
    beginnings = {name[:end] for name in concepts for end in range(len(name)) if name[end] == ' '}
    for name in concepts:
        node = tree.root
        for count, word in enumerate(words := name.split(' '), start=1):
            node = tree.after(node, tree.path(word))
            said = ' '.join(words[:count])
            assert tree.spelling(node) == said
            assert tree.goes_on(node) == (said in beginnings)


def test_many_words_share_slots() -> None:
    concepts = [f'{n:x}' for n in range(3000)]
    tree = ConceptTree.of(concepts)
    assert [number_of(tree, name) for name in concepts] == list(range(3000))
    assert number_of(tree, 'none') is None


def test_a_concept_stands_once() -> None:
    with pytest.raises(ValueError, match='twice'):
        ConceptTree.of(['a b', 'a', 'a b'])
