"""The yardstick of MART's step computes what the step computes, only with more work."""

import pytest
import torch
from step_mart import (
    PARITY,
    QUICK,
    build,
    draw_batch,
    fair_seed,
    gflop_of,
    our_losses,
    random_bert,
    yardstick,
)
from step_parts import Setting

from mart_mm.models.layers.transformer import Block

SETTING = Setting('cpu', None, False)


@pytest.fixture(scope='module')
def model() -> torch.nn.Module:
    torch.manual_seed(0)
    return build(PARITY, random_bert(**QUICK['bert']), 32, QUICK['model'])


def test_same_losses_and_gradients(model: torch.nn.Module) -> None:
    batch = draw_batch(model, videos=2, segments=3)
    batch['inputs']['cues']['valid'][0, 1, 5:] = False
    batch['data_samples'][0].cues[1] = batch['data_samples'][0].cues[1][:5]
    seed = fair_seed(6, model.backbone.visual.spec.num_tokens, SETTING)
    found = []
    for compute in (our_losses, yardstick):
        model.zero_grad()
        model.data_preprocessor.encode_cues = True
        torch.manual_seed(seed)
        losses = compute(model, batch)
        model.parse_losses(losses)[0].backward()
        found.append((losses, {n: p.grad for n, p in model.named_parameters()}))
    (ours, our_grads), (naive, naive_grads) = found
    assert ours.keys() == naive.keys()
    assert ours['loss_patch_visual'] > 0
    for name, value in ours.items():
        torch.testing.assert_close(naive[name], value, msg=lambda m, n=name: f'{n}: {m}')
    for name, gradient in our_grads.items():
        if gradient is None:
            assert naive_grads[name] is None, name
        else:
            torch.testing.assert_close(naive_grads[name], gradient, atol=1e-5, rtol=1e-3)


def test_half_of_the_segments_are_decoded(
    model: torch.nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = model.pretext.branches['visual'].decoder
    seen = []
    original = Block.forward
    monkeypatch.setattr(
        Block,
        'forward',
        lambda self, x, *args: (
            (seen.append(len(x)) if self in list(decoder.blocks) else None)
            or original(self, x, *args)
        ),
    )
    model.data_preprocessor.encode_cues = True
    torch.manual_seed(fair_seed(6, model.backbone.visual.spec.num_tokens, SETTING))
    our_losses(model, draw_batch(model, videos=2, segments=3))
    assert seen == [3]


def test_the_yardstick_does_more(model: torch.nn.Module) -> None:
    batch = draw_batch(model, videos=1, segments=2)
    counts = {}
    for name, compute in (('ours', our_losses), ('naive', yardstick)):
        model.data_preprocessor.encode_cues = True

        def step(compute: object = compute) -> None:
            torch.manual_seed(0)
            model.parse_losses(compute(model, batch))[0].backward()

        counts[name] = gflop_of(step, 2)
    assert counts['naive'] > 1.05 * counts['ours']
