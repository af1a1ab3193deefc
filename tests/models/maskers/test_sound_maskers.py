"""Clusters and time-frequency masking of spectrogram patches."""

import pytest
import torch

from mart_mm.models.maskers.cluster import ClusterMasker
from mart_mm.models.maskers.time_frequency import TimeFrequencyMasker


@pytest.mark.parametrize(
    ('grid', 'ratio', 'hidden'), [((8, 64), 400 / 512, 400), ((8, 7), 0.78, 44), ((12, 9), 0.3, 32)]
)
def test_cluster_equals_squares_set_one_by_one(
    grid: tuple[int, int], ratio: float, hidden: int
) -> None:
    rows, columns = grid
    count = rows * columns
    masked = ClusterMasker(ratio=ratio)(
        None, grid, 0.0, batch_size=5, generator=torch.Generator().manual_seed(7)
    )
    draws = torch.Generator().manual_seed(7)  # the same draws: C, order of begins, ties
    sizes = torch.randint(3, 6, (5, 1), generator=draws)
    order = torch.rand(5, count, generator=draws).argsort(1)
    noise = torch.rand(5, count, generator=draws)
    for row in range(5):
        expected: list[int] = []
        for begin in order[row].tolist():
            y, x = divmod(begin, columns)
            square = {
                i * columns + j
                for i in range(y, min(y + int(sizes[row]), rows))
                for j in range(x, min(x + int(sizes[row]), columns))
            } - set(expected)
            expected += sorted(square, key=lambda token: noise[row, token].item())
        assert set(masked[row].nonzero().flatten().tolist()) == set(expected[:hidden])


def test_cluster_hides_neighbours() -> None:
    def neighbours(is_masked: torch.Tensor) -> float:
        picture = is_masked.view(-1, 12, 20)
        return (picture[:, :, 1:] & picture[:, :, :-1]).float().mean().item()

    clusters = ClusterMasker(ratio=0.3)(None, (12, 20), 0.0, batch_size=100)
    scattered = ClusterMasker(ratio=0.3, min_size=1, max_size=1)(
        None, (12, 20), 0.0, batch_size=100
    )
    assert neighbours(scattered) == pytest.approx(0.3**2, abs=0.02)
    assert neighbours(clusters) > 0.17


def test_cluster_refuses_sizes() -> None:
    with pytest.raises(ValueError, match='min_size=5, max_size=3'):
        ClusterMasker(min_size=5, max_size=3)


def test_time_frequency_is_a_union_of_whole_bands_and_moments() -> None:
    masked = TimeFrequencyMasker()(None, (12, 9), 0.0, batch_size=400).view(400, 12, 9)
    hidden_bands, hidden_moments = masked.all(2), masked.all(1)
    assert torch.equal(masked, hidden_bands[:, :, None] | hidden_moments[:, None])
    assert hidden_bands.sum(1).tolist() == [6] * 400  # 6 of 12 stay
    assert hidden_moments.sum(1).tolist() == [6] * 400  # int(9 * 0.4) = 3 of 9 stay
    # independent: bands say nothing about moments
    both = (hidden_bands[:, 0] & hidden_moments[:, 0]).float().mean()
    assert both == pytest.approx(0.5 * 6 / 9, abs=0.08)


def test_time_frequency_finetuning_ratios() -> None:
    masker = TimeFrequencyMasker(time_ratio=0.2, frequency_ratio=0.2)
    kept = (~masker(None, (8, 64), 0.0, batch_size=2)).sum(1)
    assert kept.tolist() == [6 * 51] * 2
