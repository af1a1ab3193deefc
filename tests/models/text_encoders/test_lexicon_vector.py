from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from mart_mm.lexicon.affect import AFFECT_DIMS
from mart_mm.models.text_encoders.lexicon_vector import LexiconVectorEncoder, hashed_ngrams
from mart_mm.registry import MODELS

CPU = torch.device('cpu')
GOLDEN = [-1, -1, 1, -1, 1, 1, 1, -1, -1, -1, -1, 1, 1, 1, -1, 1]


def cue(word: str, *affect: float) -> dict:
    return dict(
        word=word, span=(0, len(word)), affect=[*affect] + [0.0] * (AFFECT_DIMS - len(affect))
    )


def test_parts_and_their_shares() -> None:
    encoder = MODELS.build(dict(type='LexiconVectorEncoder', dims=64, affect_share=0.25))
    first, second = encoder.encode(['a b', ''], [[cue('joy', 3, 4), cue('x', 0.2)], []], CPU)
    assert first.shape == (2, 64) and second.shape == (0, 64)
    assert first.dtype == second.dtype == torch.float32
    torch.testing.assert_close(first[0, :2], torch.tensor([0.3, 0.4]))  # sqrt(.25) of (.6, .8)
    torch.testing.assert_close(first.square().sum(1), torch.ones(2))
    torch.testing.assert_close(first[:, AFFECT_DIMS:].square().sum(1), torch.full((2,), 0.75))


def test_word_without_affect_keeps_its_letters() -> None:
    encoder = LexiconVectorEncoder(dims=32, affect_share=0.5)
    (row,) = encoder.encode(['table'], [[cue('table')]], CPU)[0]
    assert row[:AFFECT_DIMS].abs().max() == 0
    assert float(row.norm()) == pytest.approx(0.5**0.5, abs=1e-6)


def test_same_word_same_vector_whatever_the_text() -> None:
    encoder = LexiconVectorEncoder()
    one, two = encoder.encode(['joy', 'no joy'], [[cue('joy', 0.5)], [cue('JOY', 0.5)]], CPU)
    assert torch.equal(one, two)


def test_words_that_share_letters_are_close() -> None:
    happy, happiness, gloom = (hashed_ngrams(word, 512) for word in ('happy', 'happily', 'gloom'))
    assert happy @ happiness > 0.3 > abs(happy @ gloom)


def test_vector_is_the_same_on_every_machine() -> None:
    """Golden signs: neither the process's hash seed nor a library's version may change them."""
    assert np.sign(hashed_ngrams('a', 16)).tolist() == GOLDEN


def test_cached_vector_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match='read-only'):
        hashed_ngrams('joy', 16)[0] = 1


def test_copy_is_shared() -> None:
    encoder = LexiconVectorEncoder()
    assert copy.deepcopy(dict(encoder=encoder))['encoder'] is encoder


def test_too_narrow() -> None:
    with pytest.raises(ValueError, match=f'dims={AFFECT_DIMS}'):
        LexiconVectorEncoder(dims=AFFECT_DIMS)
