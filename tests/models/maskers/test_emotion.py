import math

import pytest
import torch

from mart_mm.models.maskers.emotion import EmotionMasker
from mart_mm.models.maskers.random import RandomMasker

GRID = (8, 7, 7)  # 16 frames of 112 px


def loop_mask(scores: list[float], ratio: float, reveal_ratio: float) -> list[bool]:
    """Eq. 7 word for word: m_i = 1 where S < idx_i <= ceil(alpha M) + S, idx from 1."""
    count = len(scores)
    revealed = math.floor(reveal_ratio * ratio * count)
    masked = math.ceil(ratio * count)
    order = sorted(range(count), key=lambda i: (-scores[i], i))
    result = [False] * count
    for idx, token in enumerate(order, start=1):
        result[token] = revealed < idx <= masked + revealed
    return result


@pytest.mark.parametrize('progress', [0.0, 0.07, 0.25, 0.4, 1.0])
def test_equals_plain_loop(progress: float) -> None:
    masker = EmotionMasker()
    scores = torch.rand(3, 392)
    scores[1, :100] = 0.5  # ties
    is_masked = masker(scores, GRID, progress, batch_size=3)
    ratio = 0.1 + 0.4 * min(1, 2 * progress)
    for row in range(3):
        assert is_masked[row].tolist() == loop_mask(scores[row].tolist(), ratio, 0.1)


@pytest.mark.parametrize(
    ('epoch', 'official', 'paper', 'revealed'),
    [(1, 42, 43, 4), (25, 117, 118, 11), (50, 196, 196, 19), (100, 196, 196, 19)],
)
def test_golden_counts_of_100_epochs(epoch: int, official: int, paper: int, revealed: int) -> None:
    progress = epoch / 100
    assert EmotionMasker(reveal='random_top').counts(392, progress) == (official, revealed)
    assert EmotionMasker().counts(392, progress) == (paper, revealed)
    scores = torch.rand(2, 392)
    masked = EmotionMasker()(scores, GRID, progress, batch_size=2)
    assert masked.sum(1).tolist() == [paper, paper]
    masked = EmotionMasker(reveal='random_top')(scores, GRID, progress, batch_size=2)
    assert masked.sum(1).tolist() == [official - revealed] * 2  # 38 to 177 net


def test_reveals_exactly_the_top() -> None:
    scores = torch.rand(2, 392)
    masked = EmotionMasker()(scores, GRID, 1.0, batch_size=2)
    for row in range(2):
        top = scores[row].topk(19).indices
        assert not masked[row, top].any()
        next_ones = scores[row].topk(19 + 196).indices[19:]
        assert masked[row, next_ones].all()


def test_random_top_reveals_among_leading_tenth() -> None:
    scores = torch.arange(392.0, 0, -1)[None].repeat(4, 1)
    masked = EmotionMasker(reveal='random_top')(scores, GRID, 1.0, batch_size=4)
    shown = ~masked[:, :196]
    assert shown.sum(1).tolist() == [19] * 4
    assert not shown[:, 39:].any()
    assert len({tuple(row.nonzero().flatten().tolist()) for row in shown}) > 1


def test_mask_prob_leaves_segments_alone() -> None:
    masker = EmotionMasker(mask_prob=0.5)
    masked = masker(torch.rand(400, 392), GRID, 1.0, batch_size=400).any(1)
    assert 150 < int(masked.sum()) < 250


def test_same_generator_same_mask() -> None:
    masker = EmotionMasker(reveal='random_top', mask_prob=0.5)
    scores = torch.rand(8, 392)
    draws = [
        masker(scores, GRID, 1.0, batch_size=8, generator=torch.Generator().manual_seed(seed))
        for seed in (3, 3, 4)
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_refuses_missing_scores_and_bad_ratios() -> None:
    with pytest.raises(ValueError, match='needs scores of shape'):
        EmotionMasker()(None, GRID, 0.5, batch_size=1)
    with pytest.raises(ValueError, match='r_min'):
        EmotionMasker(r_min=0.6, r_max=0.5)


def test_random_keeps_golden_count() -> None:
    masked = RandomMasker(ratio=0.9)(None, GRID, 0.0, batch_size=5)
    assert (~masked).sum(1).tolist() == [39] * 5
    assert len({tuple(row.tolist()) for row in masked}) == 5


@pytest.mark.parametrize('reveal', ['top', 'random_top'])
def test_picked_are_the_hidden_and_the_hints_above_them(reveal: str) -> None:
    masker = EmotionMasker(reveal=reveal, reveal_ratio=0.2, mask_prob=0.5)
    scores = torch.rand(3, 40)
    picked = masker.pick(scores, 1.0)
    count = (
        24 if reveal == 'top' else 20
    )  # 20 of 40 are ranked; with 'top' 4 are revealed above them
    for row, chosen in zip(scores, picked, strict=True):
        assert set(chosen.nonzero()[:, 0].tolist()) == set(row.topk(count).indices.tolist())
    hidden = torch.zeros_like(picked)
    for seed in range(40):  # whatever chance hides lies within
        generator = torch.Generator().manual_seed(seed)
        hidden |= masker(scores, (40,), 1.0, batch_size=3, generator=generator)
    assert (hidden & ~picked).sum() == 0 and hidden.sum(1).min() >= 16
