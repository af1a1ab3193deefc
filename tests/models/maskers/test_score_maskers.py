"""Motion-guided and importance-sampled masking."""

import pytest
import torch

from mart_mm.models.maskers.importance_sampled import ImportanceSampledMasker
from mart_mm.models.maskers.motion_guided import MotionGuidedMasker


def test_motion_guided_keeps_the_highest_of_each_slice() -> None:
    scores = torch.rand(3, 392)
    masked = MotionGuidedMasker(ratio=0.9)(scores, (8, 7, 7), 0.0, batch_size=3)
    for row in range(3):
        for z in range(8):
            part = scores[row, 49 * z : 49 * (z + 1)].tolist()
            best = sorted(range(49), key=lambda token: -part[token])[:4]
            kept = (~masked[row, 49 * z : 49 * (z + 1)]).nonzero().flatten().tolist()
            assert kept == sorted(best)


def test_importance_keeps_a_quarter_of_392() -> None:
    masked = ImportanceSampledMasker()(torch.rand(4, 392), (8, 7, 7), 0.0, batch_size=4)
    assert (~masked).sum(1).tolist() == [98] * 4


def test_importance_draws_without_replacement() -> None:
    weights = [0.6, 0.3, 0.1]
    scores = torch.tensor([weights]).expand(20000, -1) * 7  # the scale does not matter
    masked = ImportanceSampledMasker(ratio=0.33)(scores, (3,), 0.0, batch_size=20000)
    # kept in one of two draws: first, or second after each of the others
    for token, weight in enumerate(weights):
        kept = weight + sum(
            other * weight / (1 - other) for i, other in enumerate(weights) if i != token
        )
        assert (~masked[:, token]).float().mean() == pytest.approx(kept, abs=0.015)


def test_importance_keeps_zeros_last() -> None:
    scores = torch.tensor([[0.0, 1e-9, 0.0, 5.0]]).expand(50, -1)
    masked = ImportanceSampledMasker(ratio=0.5)(scores, (4,), 0.0, batch_size=50)
    assert (~masked[:, [1, 3]]).all()
    masked = ImportanceSampledMasker(ratio=0.25)(scores, (4,), 0.0, batch_size=50)
    assert (~masked).sum(1).tolist() == [3] * 50


@pytest.mark.parametrize('bad', [-0.1, float('nan')])
def test_importance_refuses_what_is_no_weight(bad: float) -> None:
    with pytest.raises(ValueError, match='one is below 0'):
        ImportanceSampledMasker()(torch.tensor([[0.5, bad]]), (2,), 0.0, batch_size=1)
