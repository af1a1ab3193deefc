import math
import random

import pytest
import torch

from mart_mm.models.maskers.cube import CubeMasker, count_inside, fill

GRID = (8, 7, 7)


def loop_mask(rng: random.Random) -> torch.Tensor:
    """MaskFeat's procedure, box by box."""
    t, h, w = GRID
    mask = torch.zeros(GRID, dtype=torch.bool)
    while mask.sum() < 157:
        for _ in range(100):
            area = rng.uniform(9, 49)
            aspect = math.exp(rng.uniform(math.log(0.3), -math.log(0.3)))
            rows, columns = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            moments = rng.randint(1, t)
            if rows >= h or columns >= w:
                continue
            z, y, x = (
                rng.randint(0, e - s) for e, s in zip(GRID, (moments, rows, columns), strict=True)
            )
            box = mask[z : z + moments, y : y + rows, x : x + columns]
            if 0 < (~box).sum() <= 157 - mask.sum():
                box[:] = True
                break
        else:
            break
    return mask


def test_hides_what_the_published_loop_hides() -> None:
    rng = random.Random(0)
    loop = torch.stack([loop_mask(rng) for _ in range(120)]).float()
    masked = CubeMasker(exact=False)(None, GRID, 0.0, batch_size=2000).view(-1, *GRID).float()
    counts = masked.sum((1, 2, 3))
    assert counts.max() == 157 and counts.min() >= 139
    assert counts.mean() == pytest.approx(155.6, abs=0.3)
    assert (counts == 157).float().mean() == pytest.approx(0.35, abs=0.05)
    assert loop.sum((1, 2, 3)).mean() == pytest.approx(counts.mean().item(), abs=0.6)
    # where: the middle of the plane and of the time is in more boxes
    for axes in ((0, 2, 3), (0, 1, 3), (0, 1, 2)):
        assert (loop.mean(axes) - masked.mean(axes)).abs().max() < 0.08
    assert masked[:, :, 3, 3].mean() > masked[:, :, 0, 0].mean() + 0.2


def test_exact_adds_only_what_is_missing() -> None:
    published = CubeMasker(exact=False)(
        None, GRID, 0.0, batch_size=50, generator=torch.Generator().manual_seed(5)
    )
    exact = CubeMasker()(None, GRID, 0.0, batch_size=50, generator=torch.Generator().manual_seed(5))
    assert exact.sum(1).tolist() == [157] * 50
    assert exact[published].all()
    assert (published.sum(1) < 157).any()


def test_boxes_stay_inside_and_below_the_plane() -> None:
    begins, ends = CubeMasker().boxes(GRID, 50, 'cpu', None)
    sides = ends - begins
    used = sides.prod(0) > 0
    assert 0.3 < used.float().mean() < 1
    assert begins.min() >= 0 and all(ends[axis][used].max() <= GRID[axis] for axis in range(3))
    assert sides[1:].max() == 6 and sides[0].max() == 8
    assert (sides[1] * sides[2])[used].min() >= 8  # 9 places, rounded per side


def test_table_and_box_equal_slices() -> None:
    is_counted = torch.rand(3, 4, 5, 6) < 0.5
    begins = torch.tensor([[0, 1, 3], [2, 0, 4], [1, 5, 0]])
    ends = torch.tensor([[4, 2, 3], [5, 3, 5], [6, 6, 0]])
    inside = count_inside(is_counted, begins[..., None], ends[..., None])[:, 0]
    boxes = fill((4, 5, 6), begins, ends)
    for row in range(3):
        place = tuple(slice(b, e) for b, e in zip(begins[:, row], ends[:, row], strict=True))
        assert inside[row] == is_counted[row][place].sum()
        expected = torch.zeros(4, 5, 6, dtype=torch.bool)
        expected[place] = True
        assert torch.equal(boxes[row], expected)


def test_refuses_bad_aspect() -> None:
    with pytest.raises(ValueError, match='min_aspect=0'):
        CubeMasker(min_aspect=0)
