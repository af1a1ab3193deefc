"""What every masker keeps: shape, equal counts, seeds, refusals."""

import inspect

import pytest
import torch

from mart_mm.models.maskers.base import Masker, rank, share_of
from mart_mm.registry import MODELS

VIDEO, SOUND, FEATURES = (8, 7, 7), (12, 9), (20,)
#: registered name, arguments, grids it masks, hidden tokens of the first grid
CASES = [
    ('RandomMasker', {}, (VIDEO, SOUND, FEATURES), 353),
    ('FrameMasker', {}, (VIDEO, SOUND), 147),
    ('TubeMasker', {}, (VIDEO, SOUND), 352),
    ('CubeMasker', {}, (VIDEO, SOUND), 157),
    ('AttentionMasker', dict(kind='high'), (VIDEO, SOUND, FEATURES), 196),
    ('AttentionMasker', dict(kind='hint'), (VIDEO, SOUND, FEATURES), 177),
    ('AttentionMasker', dict(kind='low'), (VIDEO, SOUND, FEATURES), 196),
    ('EmotionMasker', {}, (VIDEO, SOUND, FEATURES), 196),
    ('RunningCellMasker', {}, (VIDEO,), 196),
    ('MotionGuidedMasker', {}, (VIDEO,), 360),
    ('ImportanceSampledMasker', {}, (VIDEO, SOUND, FEATURES), 294),
    ('ClusterMasker', {}, (SOUND,), 84),
    ('TimeFrequencyMasker', {}, (SOUND,), 90),
]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def size(grid: tuple[int, ...]) -> int:
    return int(torch.tensor(grid).prod())


def test_every_registered_masker_is_listed() -> None:
    MODELS.get('RandomMasker')  # imports the folder
    found = {
        name
        for name, kind in MODELS.module_dict.items()
        if inspect.isclass(kind) and issubclass(kind, Masker)
    }
    assert found == {name for name, *_ in CASES}


@pytest.mark.parametrize(('name', 'kwargs', 'grids', 'hidden'), CASES)
def test_shape_counts_and_seeds(name: str, kwargs: dict, grids: tuple, hidden: int) -> None:
    masker = MODELS.build(dict(type=name, **kwargs))
    for grid in grids:
        scores = torch.rand(6, size(grid), generator=seeded(9))
        masks = [
            masker(scores, grid, 1.0, batch_size=6, generator=seeded(seed)) for seed in (1, 1, 2)
        ]
        assert masks[0].shape == (6, size(grid)) and masks[0].dtype == torch.bool
        assert torch.equal(masks[0], masks[1])
        counts = masks[0].sum(1).unique().tolist()
        assert len(counts) == 1 and 0 < counts[0] < size(grid)
        for progress in (0.03, 0.2, 1.0):
            is_masked = masker(scores, grid, progress, batch_size=6)
            assert masker.num_hidden(grid, progress) in (None, int(is_masked[0].sum()))
            assert is_masked.hidden_counts == tuple(is_masked.sum(1).tolist())
        if grid == grids[0]:
            assert counts == [hidden]
    if name not in ('MotionGuidedMasker', 'EmotionMasker') and kwargs.get('kind') not in (
        'high',
        'low',
    ):
        assert not torch.equal(masks[0], masks[2])


@pytest.mark.parametrize('name', ['EmotionMasker', 'AttentionMasker'])
def test_skipped_segments_are_noted(name: str) -> None:
    kwargs = dict(kind='hint') if name == 'AttentionMasker' else {}
    masker = MODELS.build(dict(type=name, mask_prob=0.5, **kwargs))
    assert masker.num_hidden(VIDEO, 1.0) is None
    is_masked = masker(torch.rand(20, 392), VIDEO, 1.0, batch_size=20, generator=seeded(0))
    assert is_masked.hidden_counts == tuple(is_masked.sum(1).tolist())
    assert 0 in is_masked.hidden_counts and max(is_masked.hidden_counts) > 0


@pytest.mark.parametrize(('name', 'kwargs', 'grids', 'hidden'), CASES)
def test_refuses_other_grids(name: str, kwargs: dict, grids: tuple, hidden: int) -> None:
    masker = MODELS.build(dict(type=name, **kwargs))
    for grid in {VIDEO, SOUND, FEATURES} - set(grids):
        with pytest.raises(ValueError, match=f'{name} masks grids .* choose another masker'):
            masker(torch.rand(1, size(grid)), grid, 1.0, batch_size=1)


@pytest.mark.parametrize(
    'name', ['EmotionMasker', 'AttentionMasker', 'MotionGuidedMasker', 'ImportanceSampledMasker']
)
def test_ranking_maskers_need_scores(name: str) -> None:
    masker = MODELS.build(
        dict(type=name, **(dict(kind='high') if name == 'AttentionMasker' else {}))
    )
    for scores in (None, torch.rand(2, 391), torch.rand(3, 392)):
        with pytest.raises(ValueError, match=rf'{name} ranks tokens: it needs .*\(2, 392\)'):
            masker(scores, VIDEO, 1.0, batch_size=2)


@pytest.mark.parametrize('name', ['RandomMasker', 'FrameMasker', 'TubeMasker', 'CubeMasker'])
def test_refuses_ratios_that_are_no_share(name: str) -> None:
    for ratio in (1.0, -0.1):
        with pytest.raises(ValueError, match='give a number in'):
            MODELS.build(dict(type=name, ratio=ratio))


def test_rank_and_share() -> None:
    assert rank(torch.tensor([[0.1, 0.7, 0.7, 0.2]])).tolist() == [[3, 0, 1, 2]]
    assert share_of(100, 0.29) == 29  # 100 * 0.29 is 28.999999999999996
