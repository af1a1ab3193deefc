"""What a training step must not do, and what its options must not change."""

from __future__ import annotations

import copy

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch._dynamo.testing import CompileCounterWithBackend

from mart_mm.models.layers.transformer import Block
from mart_mm.models.recognizers.step import compile_blocks


def pretexts(helpers: object) -> dict[str, dict | None]:
    official = helpers.pretext(
        mask_stage='decoder', audio=None, tacl=dict(type='OfficialCPC', sign=-1)
    )
    official['visual']['masker'] = dict(type='EmotionMasker', reveal='random_top', mask_prob=0.5)
    official['visual']['targets'] = [dict(type='PixelTarget')]
    visual = dict(helpers.pretext()['visual'], masker=dict(type='TubeMasker', ratio=0.5))
    visual['targets'] = [dict(type='PixelTarget')]
    return dict(
        supervised=None,
        mart=helpers.pretext(verify_level=1, self_attention_share=0.9),
        official=official,
        videomae=dict(type='MaskedModeling', visual=visual),
    )


@pytest.mark.parametrize('name', ['supervised', 'mart', 'official', 'videomae'])
def test_nobody_asks_the_device(helpers: object, name: str) -> None:
    """Tensors on ``meta`` have no values: whatever reads one, or a shape that hangs on one, fails."""

    def without_values(x: object) -> object:
        if isinstance(x, dict):
            return {key: without_values(value) for key, value in x.items()}
        return x.to('meta') if isinstance(x, torch.Tensor) else x

    for reads in (lambda x: bool(x.all()), lambda x: x[x], lambda x: x.sum().tolist()):
        with pytest.raises((RuntimeError, NotImplementedError), match='[Mm]eta'):
            reads(torch.ones(2, dtype=torch.bool, device='meta'))
    model = helpers.recognizer(pretexts(helpers)[name])
    data = model.data_preprocessor(helpers.batch(), True)
    model.to('meta')
    if model.pretext is not None:
        model.pretext.mask_progress = 0.3
    losses = model(without_values(data['inputs']), data['data_samples'], mode='loss')
    total, _ = model.parse_losses(losses)
    total.backward()
    assert total.device.type == 'meta'
    assert model.backbone.visual.patch_embed.weight.grad.device.type == 'meta'


def gradients(model: torch.nn.Module, batch: dict) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    model.zero_grad()
    losses = model(**model.data_preprocessor(copy.deepcopy(batch), True), mode='loss')
    model.parse_losses(losses)[0].backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def test_checkpointing_changes_no_gradient(
    helpers: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = helpers.backbone()
    backbone['visual']['drop_path'] = 0.5
    models = []
    for with_cp in (False, True):
        torch.manual_seed(0)
        for stream in ('visual', 'audio'):
            backbone[stream]['with_cp'] = with_cp
        models.append(helpers.recognizer(helpers.pretext(), backbone=copy.deepcopy(backbone)))
    runs = []
    original = Block.forward
    monkeypatch.setattr(
        Block, 'forward', lambda self, *args: runs.append(self) or original(self, *args)
    )
    plain = gradients(models[0], helpers.batch())
    once = len(runs)
    again = gradients(models[1], helpers.batch())
    assert len(runs) > 2 * once  # its blocks ran again
    assert plain.keys() == again.keys()
    for name, gradient in plain.items():
        torch.testing.assert_close(again[name], gradient, msg=lambda m, n=name: f'{n}: {m}')


def test_a_growing_mask_compiles_nothing_again(helpers: object) -> None:
    torch.manual_seed(0)
    model = helpers.recognizer(helpers.pretext())
    plain = copy.deepcopy(model)
    counter = CompileCounterWithBackend('eager')
    torch._dynamo.reset()
    compile_blocks(model, backend=counter)
    frames = []
    for progress in (0.05, 0.12, 0.2, 0.3, 0.4, 0.5):
        model.pretext.mask_progress = plain.pretext.mask_progress = progress
        got, expected = gradients(model, helpers.batch()), gradients(plain, helpers.batch())
        frames.append(counter.frame_count)
    torch._dynamo.reset()
    assert 0 < frames[0] == frames[-1]
    for name, gradient in expected.items():
        torch.testing.assert_close(got[name], gradient, atol=1e-5, rtol=1e-4)


def test_compiling_is_an_option_of_the_recogniser(helpers: object) -> None:
    from mart_mm.models.recognizers.affective import AffectiveRecognizer

    plain = helpers.recognizer()
    assert all(block._compiled_call_impl is None for block in plain.backbone.visual.blocks)
    compiled = AffectiveRecognizer(
        backbone=helpers.backbone(),
        head=dict(type='PolarityConsistentHead', polarity=helpers.polarity),
        data_preprocessor=dict(
            type='AffectiveDataPreprocessor',
            text_encoder=dict(type='LexiconVectorEncoder', dims=16),
        ),
        compile_cfg=dict(backend='eager'),
    )
    assert all(block._compiled_call_impl for block in compiled.backbone.visual.blocks)
    assert compiled.state_dict().keys() == plain.state_dict().keys()
    copy.deepcopy(compiled)  # as EMA does


def test_autocast_keeps_losses_in_full_precision(helpers: object) -> None:
    model = helpers.recognizer(helpers.pretext(verify_level=0))
    model.pretext.mask_progress = 0.5
    data = model.data_preprocessor(helpers.batch(), True)
    torch.manual_seed(1)
    expected = model(**data, mode='loss')
    torch.manual_seed(1)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model(**data, mode='loss')
        assert model.backbone.visual.blocks[0].mlp(torch.ones(1, 32)).dtype == torch.bfloat16
    for name, value in losses.items():
        assert value.dtype == torch.float32, name
        torch.testing.assert_close(value, expected[name], rtol=0.03, atol=0.02)
    total, _ = model.parse_losses(losses)
    total.backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize('parts', [2, 4])
def test_accumulated_micro_batches_equal_the_large_batch(helpers: object, parts: int) -> None:
    """The classification loss, with every modality present; see ``global_mean`` for what is not."""
    model = helpers.recognizer()
    batch = helpers.batch(num_videos=4)
    expected = gradients(model, batch)
    model.zero_grad()
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.0), accumulative_counts=parts)
    wrapper.zero_grad = lambda: None  # leaves the gradients to look at

    def take(value: object, rows: slice) -> object:
        if isinstance(value, dict):
            return {key: take(item, rows) for key, item in value.items()}
        return value[rows]

    size = 4 // parts
    for start in range(0, 4, size):
        rows = slice(start, start + size)
        part = dict(inputs=take(batch['inputs'], rows), data_samples=batch['data_samples'][rows])
        model.train_step(part, wrapper)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name], atol=1e-6, rtol=1e-4)
