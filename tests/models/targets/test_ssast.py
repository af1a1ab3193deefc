import math

import pytest
import torch

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.decoders.base import DecodedTokens
from mart_mm.models.targets.base import RecoveryContext, RecoverySpec
from mart_mm.models.targets.info_nce import patch_info_nce
from mart_mm.models.targets.ssast import SSASTTarget

STREAM = StreamSpec((8, 12), (2, 3), (4, 4), (4, 4))


def build(**kwargs: object) -> SSASTTarget:
    return SSASTTarget(RecoverySpec(STREAM, 10, 6), **kwargs)


@torch.no_grad()
def test_equals_a_plain_loop() -> None:
    target = build(loss_weight=0.5)
    audios = torch.randn(2, 2, 12, 8)
    features = torch.randn(4, 6, 10)
    is_masked = torch.tensor(
        [[1, 1, 0, 0, 1, 0], [0, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1], [0, 0, 0, 1, 0, 0]]
    ).bool()
    is_present = torch.tensor([True, True, True, False])
    patches = target.patches(dict(audios=audios))
    torch.testing.assert_close(patches[1, 4], audios[0, 1, 4:8, 4:8].T.flatten())  # as they are
    nce, squares = [], []
    for row in range(3):
        masked = is_masked[row].nonzero().flatten().tolist()
        said = {i: target.head['nce'](features[row, i]) for i in masked}
        for i in masked:
            scores = [math.exp(float(patches[row, i] @ said[j])) for j in masked]
            nce.append(-math.log(math.exp(float(patches[row, i] @ said[i])) / sum(scores)))
            rebuilt = target.head['patch'](features[row, i])
            squares.append((rebuilt - patches[row, i]).square().mean().item())
    context = RecoveryContext(is_masked, is_present)
    losses = target.loss(DecodedTokens(features), dict(audios=audios), context)
    assert losses['loss_nce'].item() == pytest.approx(0.5 * sum(nce) / len(nce), rel=1e-4)
    assert losses['loss_patch'].item() == pytest.approx(5 * sum(squares) / len(squares), rel=1e-4)


def test_same_for_hidden_tokens_alone() -> None:
    target = build()
    audios, features = torch.randn(1, 4, 12, 8), torch.randn(4, 6, 10)
    is_masked = torch.rand(4, 6).argsort(1) < 4
    context = RecoveryContext(is_masked, torch.ones(4).bool())
    order = is_masked.int().argsort(dim=1, stable=True)
    shuffled = features.gather(1, order[..., None].expand(-1, -1, 10))
    all_tokens = target.loss(DecodedTokens(features), dict(audios=audios), context)
    hidden = target.loss(DecodedTokens(shuffled, order, 2), dict(audios=audios), context)
    torch.testing.assert_close(hidden, all_tokens)
    sum(hidden.values()).backward()
    for name, parameter in target.named_parameters():
        assert parameter.grad.abs().sum() > 0, name
    assert len(list(target.parameters())) == 8


def test_heads_have_the_sizes_of_the_paper() -> None:
    stream = StreamSpec((128, 112), (8, 7), (16, 16), (16, 16))
    target = SSASTTarget(RecoverySpec(stream, 768, 6))
    for name in ('nce', 'patch'):
        first, _, last = target.head[name]
        assert (first.in_features, first.out_features) == (768, 768)
        assert (last.in_features, last.out_features) == (768, 256)


def test_segments_without_masked_tokens_have_finite_gradients() -> None:
    predicted = torch.randn(2, 3, 4, requires_grad=True)
    is_valid = torch.tensor([[True, True, False], [False, False, False]])
    values = patch_info_nce(torch.randn(2, 3, 4) * 100, predicted, is_valid)
    torch.where(is_valid, values, 0.0).sum().backward()
    assert predicted.grad.isfinite().all()
    assert predicted.grad[0, :2].abs().sum() > 0 == predicted.grad[1].abs().sum()
    assert predicted.grad[0, 2].abs().sum() == 0
