from __future__ import annotations

import pytest
import torch

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.decoders.base import DecodedTokens
from mart_mm.models.targets.base import RecoveryContext, RecoverySpec
from mart_mm.models.targets.feature import FeatureTarget
from mart_mm.registry import MODELS

TOKENS, DIMS = 4, 3


def build(**options: object) -> FeatureTarget:
    spec = RecoverySpec(StreamSpec((TOKENS,), (TOKENS,), (1,), (1,)), 8, 6)
    config = dict(type='FeatureTarget', modality='audio', dims=DIMS) | options
    return MODELS.build(config, default_args=dict(spec=spec))


@torch.no_grad()
def test_loss_is_that_of_a_plain_loop_over_hidden_vectors() -> None:
    target = build(loss_weight=0.5)
    inputs = dict(audios=torch.randn(1, 3, TOKENS, DIMS), imgs=torch.randn(1, 3, TOKENS, 9))
    features = torch.randn(3, TOKENS, 8)
    is_masked = torch.tensor([[1, 0, 0, 1], [0, 1, 1, 0], [1, 1, 0, 0]], dtype=torch.bool)
    is_present = torch.tensor([True, True, False])
    errors = []
    for s in (0, 1):  # the last one is of a video without sound
        for n in range(TOKENS):
            if is_masked[s, n]:
                recovered = target.head.weight @ features[s, n] + target.head.bias
                for d in range(DIMS):
                    errors.append(float(recovered[d] - inputs['audios'][0, s, n, d]) ** 2)
    expected = 0.5 * sum(errors) / len(errors)
    context = RecoveryContext(is_masked, is_present)
    order = is_masked.to(torch.uint8).argsort(dim=1, stable=True)  # as decoders give them
    shuffled = features.gather(1, order[..., None].expand_as(features))
    for decoded in (DecodedTokens(features), DecodedTokens(shuffled, order, 2)):
        found = target.loss(decoded, inputs, context)
        assert found.keys() == {'loss_patch'}
        assert float(found['loss_patch']) == pytest.approx(expected, rel=1e-5)


@torch.no_grad()
def test_perfect_recovery_costs_nothing() -> None:
    target = build()
    inputs = dict(audios=torch.randn(2, 3, TOKENS, DIMS))
    target.head.weight.copy_(torch.eye(DIMS, 8))
    features = torch.zeros(6, TOKENS, 8)
    features[..., :DIMS] = inputs['audios'].flatten(0, 1)  # (B, S) folded in that order
    context = RecoveryContext(torch.rand(6, TOKENS) < 0.7, torch.ones(6, dtype=torch.bool))
    assert target.loss(DecodedTokens(features), inputs, context)['loss_patch'] < 1e-10


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"modality='text': choose one of \['visual', 'audio'\]"):
        build(modality='text')
    with pytest.raises(ValueError, match=r'\(4, 9\) .* built for \(4, 3\): check its modality'):
        build(modality='visual').patches(dict(imgs=torch.randn(1, 1, TOKENS, 9)))
