from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mart_mm.models.losses.tcl import (
    hard_negatives,
    local_contrast,
    mask_words,
    matching_losses,
    soft_contrast,
    word_losses,
)

T = torch.tensor(0.2)


def units(*shape: int) -> Tensor:
    return F.normalize(torch.randn(*shape), dim=-1)


def dot(a: Tensor, b: Tensor) -> float:
    return sum(float(x) * float(y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize('soft_share', [0.0, 0.4])
def test_contrast_is_the_written_formula(soft_share: float) -> None:
    queries, keys, slow = units(3, 8), units(5, 8), units(3, 8)
    is_key = torch.tensor([[1, 1, 0, 1, 0], [1, 1, 1, 1, 1], [0, 0, 1, 0, 0]], dtype=torch.bool)
    got = soft_contrast(queries, keys, is_key, T, momentum_queries=slow, soft_share=soft_share)
    for i in range(3):
        columns = [j for j in range(5) if is_key[i, j]]
        scores = {j: math.exp(dot(queries[i], keys[j]) / 0.2) for j in columns}
        slow_scores = {j: math.exp(dot(slow[i], keys[j]) / 0.2) for j in columns}
        expected = 0.0
        for j in columns:
            target = (1 - soft_share) * (i == j)
            target += soft_share * slow_scores[j] / sum(slow_scores.values())
            expected -= target * math.log(scores[j] / sum(scores.values()))
        assert got[i].item() == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert got[2].item() == 0  # only its own key: no negatives are made up


def test_queries_without_negatives_have_no_gradient() -> None:
    queries, parts = units(2, 4).requires_grad_(), units(2, 3, 4)
    nobody, whole = torch.zeros(2, 2, dtype=torch.bool), torch.ones(2, 3, dtype=torch.bool)
    temperature = T.clone().requires_grad_()
    alone = torch.eye(2, dtype=torch.bool)
    loss = soft_contrast(queries, units(2, 4), alone, temperature).sum()
    loss = loss + local_contrast(queries, parts, whole, nobody, temperature).sum()
    loss.backward()
    assert loss.item() == 0
    assert queries.grad.abs().max() == 0 and temperature.grad == 0


def test_local_contrast_is_the_written_formula() -> None:
    queries, parts = units(3, 6), units(3, 4, 6)
    lengths = [4, 2, 0]
    is_part = torch.arange(4) < torch.tensor(lengths)[:, None]
    is_other = torch.tensor([[0, 1, 1], [1, 0, 1], [0, 1, 0]], dtype=torch.bool)
    got = local_contrast(queries, parts, is_part, is_other, T)
    for i in range(3):
        negatives = [
            math.exp(dot(queries[i], parts[j, p]) / 0.2)
            for j in range(3)
            if is_other[i, j]
            for p in range(lengths[j])
        ]
        losses = []
        for p in range(lengths[i]):
            own = math.exp(dot(queries[i], parts[i, p]) / 0.2)
            losses.append(-math.log(own / (own + sum(negatives))))
        expected = sum(losses) / len(losses) if losses else 0.0
        assert got[i].item() == pytest.approx(expected, rel=1e-4)


def test_negatives_are_drawn_in_proportion_to_similarity() -> None:
    """A row without candidates says so."""
    similarity = torch.tensor([[9.0, 0.0, math.log(3)], [0.0, 9.0, 5.0], [0.0, 0.0, 9.0]])
    may = torch.tensor([[0, 1, 1], [0, 0, 0], [1, 0, 0]], dtype=torch.bool)
    drawn = torch.stack([hard_negatives(similarity, may)[0] for _ in range(2000)])
    assert (drawn[:, 0] == 2).float().mean().item() == pytest.approx(0.75, abs=0.04)
    assert not (drawn[:, 0] == 0).any()
    assert (drawn[:, 2] == 0).all()
    assert hard_negatives(similarity, may)[1].tolist() == [True, False, True]


def test_words_are_masked_as_bert_does() -> None:
    ids = torch.randint(10, 1000, (200, 100))
    is_word = torch.rand(200, 100) < 0.9
    options = dict(ratio=0.15, mask_id=3, vocab_size=100_000)
    generator = torch.Generator().manual_seed(1)
    masked = mask_words(ids, is_word, generator=generator, **options)
    again = mask_words(ids, is_word, generator=torch.Generator().manual_seed(1), **options)
    assert torch.equal(masked.ids, again.ids)
    assert not (masked.is_masked & ~is_word).any()
    assert torch.equal(masked.ids[~masked.is_masked], ids[~masked.is_masked])
    chosen, before = masked.ids[masked.is_masked], ids[masked.is_masked]
    assert len(chosen) / int(is_word.sum()) == pytest.approx(0.15, abs=0.01)
    assert (chosen == 3).float().mean().item() == pytest.approx(0.8, abs=0.03)
    assert (chosen == before).float().mean().item() == pytest.approx(0.1, abs=0.02)
    is_random = (chosen != 3) & (chosen != before)
    assert is_random.float().mean().item() == pytest.approx(0.1, abs=0.02)


def test_word_and_matching_losses() -> None:
    logits, slow = torch.randn(4, 7), torch.randn(4, 7)
    words = torch.tensor([0, 6, 3, 3])
    got = word_losses(logits, words, slow, 0.4)
    for i in range(4):
        total = sum(math.exp(x) for x in logits[i].tolist())
        log_chances = [x - math.log(total) for x in logits[i].tolist()]
        slow_total = sum(math.exp(x) for x in slow[i].tolist())
        soft = -sum(
            math.exp(s) / slow_total * c for s, c in zip(slow[i].tolist(), log_chances, strict=True)
        )
        expected = 0.6 * -log_chances[int(words[i])] + 0.4 * soft
        assert got[i].item() == pytest.approx(expected, rel=1e-5)
    pair = torch.tensor([[0.3, 1.1], [2.0, -1.0]])
    expected = [math.log(1 + math.exp(0.3 - 1.1)), math.log(1 + math.exp(-1.0 - 2.0))]
    assert matching_losses(pair, torch.tensor([True, False])).tolist() == pytest.approx(expected)
