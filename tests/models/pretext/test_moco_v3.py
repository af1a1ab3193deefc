from __future__ import annotations

import math

import pytest
import torch

from mart_mm.models.layers.momentum import MomentumCopy, cosine_momentum
from mart_mm.models.losses.moco import moco_loss
from mart_mm.models.pretext.moco_v3 import projection

MOCO = dict(type='MoCoV3', hidden_dims=24, dims=8)


def test_loss_is_the_written_formula() -> None:
    queries, keys = torch.randn(5, 8), torch.randn(5, 8)
    is_valid = torch.tensor([True, True, False, True, True])
    total = 0.0
    for i in range(5):
        if not is_valid[i]:
            continue
        similarity = [
            float(queries[i] @ keys[j] / queries[i].norm() / keys[j].norm()) / 0.2 for j in range(5)
        ]
        total -= similarity[i] - math.log(sum(math.exp(s) for s in similarity))
    assert moco_loss(queries, keys, is_valid, 0.2).item() == pytest.approx(
        0.4 * total / 4, rel=1e-5
    )
    assert moco_loss(queries, keys, is_valid & False, 0.2).item() == 0


def test_projector_is_the_published_one() -> None:
    layers = projection(768, 4096, 256, 3)
    linear = [m for m in layers if isinstance(m, torch.nn.Linear)]
    norms = [m for m in layers if isinstance(m, torch.nn.BatchNorm1d)]
    assert [tuple(m.weight.shape) for m in linear] == [(4096, 768), (4096, 4096), (256, 4096)]
    assert all(m.bias is None for m in linear)
    assert [m.affine for m in norms] == [True, True, False]


def test_momentum_follows() -> None:
    assert cosine_momentum(0.99, 0.0) == pytest.approx(0.99)
    assert cosine_momentum(0.99, 0.5) == pytest.approx(0.995)
    assert cosine_momentum(0.99, 1.0) == pytest.approx(1.0)
    source = torch.nn.Linear(3, 2)
    copy = MomentumCopy(source)
    torch.nn.init.constant_(source.weight, 2.0)
    copy.update(source, 0.9)  # the first time it starts equal, whatever was loaded since
    assert torch.equal(copy.module.weight, source.weight)
    torch.nn.init.constant_(source.weight, 5.0)
    copy.update(source, 0.9)
    torch.testing.assert_close(copy.module.weight, torch.full((2, 3), 2.3))
    assert not any(p.requires_grad for p in copy.parameters())


def batches(helpers: object, num_videos: int = 3, **options: object) -> dict:
    batch = helpers.batch(num_videos, **options)
    other = helpers.batch(num_videos, seed=1)
    batch['inputs']['second'] = {key: other['inputs'][key] for key in ('imgs', 'audios')}
    return batch


def test_every_trained_parameter_learns_and_keys_do_not(helpers: object) -> None:
    model = helpers.recognizer(MOCO)
    batch = batches(helpers, audio=(True, False, True))
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    assert set(losses) == {'loss_moco_visual', 'loss_moco_audio'}
    sum(losses.values()).backward()
    for name, parameter in model.named_parameters():
        if '.key_' in name:
            assert parameter.grad is None and not parameter.requires_grad
        elif name.startswith('head.'):
            assert parameter.grad is None  # no label is read
        else:
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_views_that_agree_cost_less(helpers: object) -> None:
    """With momentum copies equal to the model, the same view twice is easier than two."""
    torch.manual_seed(0)
    model = helpers.recognizer(MOCO)
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 1e-3)
    same = helpers.batch(4)
    same['inputs']['second'] = {key: same['inputs'][key] for key in ('imgs', 'audios')}
    inputs = model.data_preprocessor(same, True)
    history = []
    for _ in range(30):
        loss = sum(model(**inputs, mode='loss').values())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(loss.item())
    chance = 2 * 2 * 0.4 * math.log(4)  # two streams, two directions, four videos
    assert history[-1] < 0.6 * chance


def test_batches_it_cannot_work_with_are_refused(helpers: object) -> None:
    model = helpers.recognizer(MOCO)
    with pytest.raises(ValueError, match='train_dataloader.batch_size to 2 or more'):
        model(**model.data_preprocessor(batches(helpers, 1), True), mode='loss')
    with pytest.raises(ValueError, match='TwoViews'):
        model(**model.data_preprocessor(helpers.batch(2), True), mode='loss')
