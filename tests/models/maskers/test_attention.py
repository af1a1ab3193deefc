import pytest
import torch

from mart_mm.models.maskers.attention import AttentionMasker
from mart_mm.models.maskers.emotion import EmotionMasker

GRID = (8, 7, 7)


def loop_order(scores: list[float]) -> list[int]:
    return sorted(range(len(scores)), key=lambda token: (-scores[token], token))


@pytest.mark.parametrize(('epoch', 'hidden'), [(1, 42), (25, 117), (50, 196), (100, 196)])
def test_golden_counts_and_places_of_100_epochs(epoch: int, hidden: int) -> None:
    scores = torch.rand(3, 392)
    for kind in ('high', 'low'):
        masked = AttentionMasker(kind=kind)(scores, GRID, epoch / 100, batch_size=3)
        for row in range(3):
            order = loop_order(scores[row].tolist())
            expected = set(order[:hidden] if kind == 'high' else order[-hidden:])
            assert set(masked[row].nonzero().flatten().tolist()) == expected


def test_low_never_hides_what_is_crucial() -> None:
    scores = torch.rand(4, 392)
    masked = AttentionMasker(kind='low')(scores, GRID, 1.0, batch_size=4)
    for row in range(4):
        assert scores[row][~masked[row]].min() > scores[row][masked[row]].max()


def test_hint_reveals_random_ones_of_the_leading_tenth() -> None:
    scores = torch.arange(392.0, 0, -1)[None].repeat(300, 1)
    masked = AttentionMasker(kind='hint')(scores, GRID, 1.0, batch_size=300)
    shown = ~masked[:, :196]
    assert masked[:, 196:].sum() == 0
    assert shown.sum(1).tolist() == [19] * 300  # int(0.1 * 196)
    assert not shown[:, 39:].any()  # int(0.1 * 392)
    share = shown[:, :39].float().mean(0)  # 19/39 each, standard error 0.029
    assert (share - 19 / 39).abs().max() < 0.13


def test_hint_is_the_rule_of_marts_official_code() -> None:
    scores = torch.rand(5, 392)
    for progress in (0.01, 0.25, 1.0):
        masks = [
            masker(
                scores,
                GRID,
                progress,
                batch_size=5,
                generator=torch.Generator().manual_seed(3),
            )
            for masker in (
                AttentionMasker(kind='hint', mask_prob=0.5),
                EmotionMasker(reveal='random_top', mask_prob=0.5),
            )
        ]
        assert torch.equal(*masks)


def test_options() -> None:
    scores = torch.rand(2000, 10)
    constant = AttentionMasker(kind='high', r_min=0.3, r_max=0.3)
    assert {constant.ratio(p) for p in (0.0, 0.4, 1.0)} == {0.3}
    masked = AttentionMasker(kind='high', mask_prob=0.5)(scores, (10,), 1.0, batch_size=2000)
    assert set(masked.sum(1).tolist()) == {0, 5}
    assert masked.any(1).float().mean() == pytest.approx(0.5, abs=0.05)
    with pytest.raises(ValueError, match="kind='top'"):
        AttentionMasker(kind='top')
    with pytest.raises(ValueError, match='mask_prob=0'):
        AttentionMasker(kind='high', mask_prob=0.0)
    with pytest.raises(ValueError, match='reveal_ratio=1'):
        AttentionMasker(kind='hint', reveal_ratio=1.0)
    with pytest.raises(ValueError, match='r_max=1'):
        AttentionMasker(kind='low', r_max=1.0)
