"""Texts to search: English in their statistics, with the concepts of a lexicon in them."""

from __future__ import annotations

import numpy as np

_SIGNS = ('', '', '', '', '', '', ',', '.')  # one word in four ends a clause
_ENDINGS = ('', '', '', 's', 'ed', 'ing')


def draw_text(concepts: list[str], function_words: list[str], tokens: int, seed: int = 0) -> str:
    """A text of about this many words.

    Half of the words are words of grammar, the others are drawn from the concepts with frequencies
    that fall as in Zipf's law, inflected, with signs that end clauses.

    Args:
        concepts: What is said, each of one to a few words.
        function_words: Words between them.
        tokens: Number of words.
        seed: Of the drawing.
    """
    rng = np.random.default_rng(seed)
    ranks = (rng.zipf(1.2, tokens) - 1) % len(concepts)
    order = rng.permutation(len(concepts))
    grammar = rng.integers(len(function_words), size=(tokens, 2))
    signs, endings = (
        rng.integers(len(_SIGNS), size=tokens),
        rng.integers(len(_ENDINGS), size=tokens),
    )
    pieces: list[str] = []
    count = 0
    for rank, words, sign, ending in zip(ranks, grammar, signs, endings, strict=True):
        if count >= tokens:
            break
        concept = concepts[order[rank]] + _ENDINGS[ending] + _SIGNS[sign]
        pieces += [*(function_words[word] for word in words), concept]
        count += 3 + concept.count(' ')
    return ' '.join(pieces)


def cut(text: str, words: int) -> list[str]:
    """Pieces of this many words, as long as what is said in a video."""
    said = text.split()
    return [' '.join(said[start : start + words]) for start in range(0, len(said), words)]
