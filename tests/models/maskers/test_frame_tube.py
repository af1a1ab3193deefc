import pytest
import torch

from mart_mm.models.maskers.frame import FrameMasker
from mart_mm.models.maskers.tube import TubeMasker


def test_frame_hides_whole_slices_all_alike_often() -> None:
    masked = FrameMasker(ratio=0.4)(None, (8, 7, 7), 0.0, batch_size=800).view(800, 8, 49)
    assert torch.equal(masked.all(2), masked.any(2))
    assert masked[..., 0].sum(1).tolist() == [3] * 800
    share = masked[..., 0].float().mean(0)  # 3/8 each, standard error 0.017
    assert (share - 0.375).abs().max() < 0.08


def test_frame_hides_moments_of_sound() -> None:
    masked = FrameMasker(ratio=0.4)(None, (12, 9), 0.0, batch_size=4).view(4, 12, 9)
    assert torch.equal(masked.all(1), masked.any(1))
    assert masked[:, 0].sum(1).tolist() == [4] * 4  # round(3.6)


def test_frame_refuses_to_hide_none_or_all() -> None:
    with pytest.raises(ValueError, match='would hide 0 of 1'):
        FrameMasker(ratio=0.4)(None, (1, 7, 7), 0.0, batch_size=1)
    with pytest.raises(ValueError, match='would hide 2 of 2'):
        FrameMasker(ratio=0.9)(None, (2, 7, 7), 0.0, batch_size=1)


@pytest.mark.parametrize(
    ('ratio', 'per_slice', 'visible'), [(0.9, 44, 40), (0.95, 46, 24), (0.75, 36, 104)]
)
def test_tube_golden_counts(ratio: float, per_slice: int, visible: int) -> None:
    masked = TubeMasker(ratio=ratio)(None, (8, 7, 7), 0.0, batch_size=5).view(5, 8, 49)
    assert torch.equal(masked, masked[:, :1].expand_as(masked))
    assert masked[:, 0].sum(1).tolist() == [per_slice] * 5
    assert (~masked).sum((1, 2)).tolist() == [visible] * 5
    assert len({tuple(row.tolist()) for row in masked[:, 0]}) == 5


def test_tube_hides_bands_of_sound() -> None:
    masked = TubeMasker(ratio=0.5)(None, (12, 9), 0.0, batch_size=4).view(4, 12, 9)
    assert torch.equal(masked.all(2), masked.any(2))
    assert masked[..., 0].sum(1).tolist() == [6] * 4
