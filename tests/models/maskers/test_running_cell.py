import numpy as np
import pytest

from mart_mm.models.maskers.running_cell import RunningCellMasker


def rolled_cells(grid: tuple[int, int, int], hidden: int, phase: int) -> np.ndarray:
    """Tile a rolled 2 x 2 cell over each slice, beyond the edge, and cut."""
    t, h, w = grid
    cell = np.array([True] * hidden + [False] * (4 - hidden))
    slices = [
        np.tile(np.roll(cell, -(phase + z)).reshape(2, 2), (h // 2 + 1, w // 2 + 1))[:h, :w]
        for z in range(t)
    ]
    return np.stack(slices)


@pytest.mark.parametrize('ratio', [0.25, 0.5, 0.75])
def test_phases_are_rolled_cells(ratio: float) -> None:
    for grid in ((8, 7, 7), (3, 4, 5)):
        phases = RunningCellMasker(ratio=ratio).phases(grid, 'cpu').view(4, *grid).numpy()
        for phase in range(4):
            assert (phases[phase] == rolled_cells(grid, int(4 * ratio), phase)).all()


def test_golden_counts() -> None:
    masked = RunningCellMasker()(None, (8, 7, 7), 0.0, batch_size=64).view(64, 8, 49)
    cycle = [25, 21, 24, 28] * 3
    for row in masked.sum(2).tolist():
        start = cycle.index(row[0])
        assert row == (cycle + cycle)[start : start + 8]
        assert sum(row) == 196
    assert len({tuple(row) for row in masked.sum(2).tolist()}) == 4


def test_odd_grids_share_a_phase_so_that_counts_stay_equal() -> None:
    masker = RunningCellMasker()
    counts = {phase.sum().item() for phase in masker.phases((2, 3, 3), 'cpu')}
    assert len(counts) > 1
    for _ in range(10):
        masked = masker(None, (2, 3, 3), 0.0, batch_size=8)
        assert masked.shape == (8, 18) and len(set(masked.sum(1).tolist())) == 1
    even = masker(None, (2, 4, 4), 0.0, batch_size=64)
    assert even.sum(1).tolist() == [16] * 64 and len(even.unique(dim=0)) == 4


def test_refuses_other_ratios() -> None:
    with pytest.raises(ValueError, match=r'ratio=0\.4'):
        RunningCellMasker(ratio=0.4)
