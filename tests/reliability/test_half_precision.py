"""Mixed precision: targets, losses and softmaxes are computed in float32."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.decoders.base import DecodedTokens
from mart_mm.models.losses.distribution import distribution_kl
from mart_mm.models.losses.moco import moco_loss
from mart_mm.models.losses.pcce import polarity_consistent_cross_entropy
from mart_mm.models.losses.reduce import global_mean
from mart_mm.models.losses.tacl import cpc_loss, tacl_loss
from mart_mm.models.losses.tcl import local_contrast, matching_losses, soft_contrast, word_losses
from mart_mm.models.targets.base import RecoveryContext, RecoverySpec, mean_squared_error, normalise
from mart_mm.models.targets.info_nce import patch_info_nce
from mart_mm.registry import MODELS

HALVES = [torch.bfloat16, torch.float16]
VALID = torch.rand(4, 3, generator=torch.Generator().manual_seed(0)) < 0.7
WORDS = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(1)) < 0.7
POLARITY = torch.tensor([-1, -1, 1, 1, 0, 1])
T = torch.tensor(0.07)

#: shapes of the half-precision inputs, and the loss of them
LOSSES: dict[str, tuple[list[tuple[int, ...]], Callable[..., Tensor]]] = {
    'global_mean': ([(4, 3)], lambda x: global_mean(x, VALID)),
    'distribution_kl': (
        [(5, 6), (5, 6)],
        lambda p, q: distribution_kl(p.abs(), q),
    ),
    'pcce': (
        [(5, 6)],
        lambda x: polarity_consistent_cross_entropy(x, torch.arange(5), POLARITY, 0.5, 0.1),
    ),
    'tacl': ([(2, 3, 4, 8)] * 3, lambda f, w, o: tacl_loss(f, w, o, WORDS, temperature=0.1)),
    'tacl across videos': (
        [(2, 3, 4, 8)] * 3,
        lambda f, w, o: tacl_loss(f, w, o, WORDS, temperature=0.1, across_videos=True),
    ),
    'cpc': ([(24, 8)] * 2, lambda p, t: cpc_loss(p, t, WORDS.flatten())),
    'moco': ([(5, 8)] * 2, lambda q, k: moco_loss(q, k, torch.ones(5, dtype=torch.bool), 0.2)),
    'soft_contrast': (
        [(4, 8), (7, 8), (4, 8)],
        lambda q, k, m: soft_contrast(
            q, k, torch.ones(4, 7, dtype=torch.bool), T, momentum_queries=m, soft_share=0.4
        ),
    ),
    'local_contrast': (
        [(4, 8), (4, 3, 8)],
        lambda q, p: local_contrast(q, p, VALID, ~torch.eye(4, dtype=torch.bool), T),
    ),
    'word_losses': ([(5, 9)] * 2, lambda x, m: word_losses(x, torch.arange(5), m, 0.4)),
    'matching_losses': ([(4, 2)], lambda x: matching_losses(x, torch.arange(4) > 1)),
    'patch_info_nce': ([(4, 3, 8)] * 2, lambda x, c: patch_info_nce(x, c, VALID)),
    'mean_squared_error': ([(4, 3, 8)] * 2, mean_squared_error),
    'normalise': ([(4, 3, 8)], lambda x: normalise(x, (2,), eps_on='variance')),
}  # fmt: skip


@pytest.mark.parametrize('dtype', HALVES, ids=str)
@pytest.mark.parametrize('name', LOSSES)
def test_losses_of_half_inputs_are_those_of_the_same_numbers(name: str, dtype: torch.dtype) -> None:
    shapes, loss = LOSSES[name]
    halves = [(3 * torch.randn(shape)).to(dtype).requires_grad_() for shape in shapes]
    wholes = [half.detach().float().requires_grad_() for half in halves]
    with torch.autocast('cpu', dtype):
        rough = loss(*halves)
    exact = loss(*wholes)
    assert rough.dtype == exact.dtype == torch.float32
    assert exact.isfinite().all() and exact.abs().sum() > 0
    torch.testing.assert_close(rough, exact, rtol=1e-5, atol=1e-6)
    rough.sum().backward()
    exact.sum().backward()
    for half, whole in zip(halves, wholes, strict=True):
        if whole.grad is None:  # what has no gradient by its meaning
            assert half.grad is None
            continue
        torch.testing.assert_close(half.grad, whole.grad.to(dtype), rtol=2**-7, atol=1e-3)


VISUAL = StreamSpec((4, 16, 24), (2, 2, 3), (2, 8, 8), (2, 8, 8))  # 12 tokens
AUDIO = StreamSpec((20, 14), (3, 2), (8, 8), (6, 6))  # 6 tokens
CLIP = dict(dims=8, config=dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1,
            num_attention_heads=2, image_size=24, patch_size=8, projection_dim=8))  # fmt: skip
TARGETS: dict[str, tuple[StreamSpec, dict]] = {
    'pixels of a channel': (VISUAL, dict(type='PixelTarget')),
    'pixels of a patch': (VISUAL, dict(type='PixelTarget', norm='per_patch', frames='first')),
    'HOG': (VISUAL, dict(type='HOGTarget')),
    'CLIP': (VISUAL, dict(type='CLIPTarget', clip=CLIP)),
    'log-mel': (AUDIO, dict(type='FbankTarget', norm_patch=True)),
    'SSAST': (AUDIO, dict(type='SSASTTarget')),
    'emotion': (VISUAL, dict(type='EmotionDistributionTarget', temperature=0.5)),
    'emotion over time': (
        VISUAL, dict(type='EmotionDistributionTarget', granularity='tubelet', axis='time'),
    ),
    'reversed': (VISUAL, dict(type='EmotionDistributionTarget', reverse=True)),
}  # fmt: skip


@pytest.mark.parametrize('dtype', HALVES, ids=str)
@pytest.mark.parametrize('name', TARGETS)
def test_targets_are_the_same_in_mixed_precision(name: str, dtype: torch.dtype) -> None:
    """Targets of half inputs are float32, and so is the loss; only the head rounds."""
    stream, config = TARGETS[name]
    target = MODELS.build(config | dict(spec=RecoverySpec(stream, 10, 6)))
    target.head.requires_grad_(False)
    tokens, segments = 12 if stream is VISUAL else 6, 4
    generator = torch.Generator().manual_seed(0)
    inputs = dict(
        pixels=torch.randint(0, 256, (2, 2, 3, 4, 16, 24), generator=generator).to(torch.uint8),
        audios=torch.randn(2, 2, 14, 20, generator=generator).to(dtype),
    )
    context = RecoveryContext(
        is_masked=torch.rand(segments, tokens, generator=generator) < 0.6,
        is_present=torch.ones(segments, dtype=torch.bool),
        scores=(3 * torch.randn(2, 2, 6, generator=generator)).to(dtype),
        step_scores=(3 * torch.randn(2, 2, 2, 6, generator=generator)).to(dtype),
    )
    features = torch.randn(segments, tokens, 10, generator=generator).to(dtype)
    with torch.autocast('cpu', dtype):
        rough = target.target(inputs, context)
        loss = sum(target.loss(DecodedTokens(features), inputs, context).values())
    whole = inputs | dict(audios=inputs['audios'].float())
    exact = target.target(
        whole,
        context._replace(scores=context.scores.float(), step_scores=context.step_scores.float()),
    )
    assert rough.dtype == loss.dtype == torch.float32
    assert loss.isfinite() and loss > 0
    if name == 'CLIP':  # a network's output, which mixed precision may round
        return
    torch.testing.assert_close(rough, exact, rtol=1e-5, atol=1e-6)


class Watch(TorchDispatchMode):
    """Notes operators that must not see half precision, and those that did."""

    names = (
        '_softmax', '_log_softmax', '_safe_softmax', 'logsumexp', 'exp', 'log', 'logaddexp',
        'nll_loss_forward', 'mse_loss', 'kl_div', 'linalg_vector_norm',
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.half: list[str] = []

    def __torch_dispatch__(
        self, func: object, types: object, args: tuple = (), kwargs: dict | None = None
    ) -> object:
        name = func.overloadpacket.__name__
        if name in self.names:
            self.seen.add(name)
            dtypes = {x.dtype for x in args if isinstance(x, Tensor)} & set(HALVES)
            frames = [f for f in traceback.extract_stack() if 'mart_mm/models' in f.filename]
            self.half += [f'{name} of {x} in {frames[-1]}' for x in dtypes]
        return func(*args, **kwargs or {})


class Autocast(OptimWrapper):
    """What ``AmpOptimWrapper`` does on a GPU, without scaling."""

    dtype = torch.bfloat16

    @contextmanager
    def optim_context(self, model: torch.nn.Module) -> Iterator[None]:
        with super().optim_context(model), torch.autocast('cpu', self.dtype):
            yield


def families(helpers: object) -> dict[str, tuple[dict | None, dict]]:
    """Pretext and head of each family."""
    linear, masker = dict(type='LinearDecoder'), dict(type='RandomMasker', ratio=0.6)
    pixel = dict(helpers.pretext()['visual'], masker=masker, targets=[dict(type='PixelTarget')])
    hog = dict(masker=masker, decoder=linear, targets=[dict(type='HOGTarget')])
    ssast = dict(
        masker=masker, decoder=dict(linear, norm=False), targets=[dict(type='SSASTTarget')]
    )
    milan = dict(
        masker=masker,
        decoder=dict(type='PromptingDecoder', dims=16, depth=2, num_heads=2),
        targets=[dict(type='CLIPTarget', clip=CLIP, all_tokens=True)],
    )
    text = dict(type='FusionBert', embed_dims=16, depth=2, num_heads=2, fusion_layer=1,
                vocab_size=100)  # fmt: skip
    token = helpers.backbone(mask_token=True)
    plain = helpers.backbone()
    return dict(
        supervised=(None, plain),
        mart=(helpers.pretext(verify_level=1, self_attention_share=0.9), plain),
        official=(
            helpers.pretext(
                mask_stage='decoder',
                tacl=dict(type='OfficialCPC', sign=-1),
                aux_classifier=dict(type='LexiconAwareClassifier'),
            ),
            plain,
        ),
        videomae=(dict(type='MaskedModeling', visual=pixel), plain),
        maskfeat=(dict(type='MaskedModeling', mask_mode='token', visual=hog, audio=ssast), token),
        milan=(dict(type='MaskedModeling', visual=milan), plain),
        moco=(dict(type='MoCoV3', hidden_dims=24, dims=8), plain),
        tcl=(dict(type='TCL', text=text, dims=8, queue_size=6), plain),
    )


FAMILIES = ('supervised', 'mart', 'official', 'videomae', 'maskfeat', 'milan', 'moco', 'tcl')


@pytest.mark.parametrize('family', FAMILIES)
def test_a_step_of_each_family(
    helpers: object, family: str, count: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    """No softmax, logarithm or loss of a whole training step sees a half-precision number."""
    for dtype in HALVES[: count(1, 2)]:
        pretext, backbone = families(helpers)[family]
        model = helpers.recognizer(pretext, backbone)
        wrapper = Autocast(torch.optim.SGD(model.parameters(), 1e-3))
        wrapper.dtype = dtype
        batch, other = helpers.batch(), helpers.batch(seed=1)['inputs']
        batch['inputs']['second'] = {key: other[key] for key in ('imgs', 'audios')}
        before = [parameter.clone() for parameter in model.parameters()]
        with Watch() as watch:
            losses = model.train_step(batch, wrapper)
        assert watch.seen and not watch.half, sorted(set(watch.half))
        assert all(value.dtype == torch.float32 and value.isfinite() for value in losses.values())
        changed = [not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True)]
        assert any(changed) and all(p.isfinite().all() for p in model.parameters())
        tell(f'{family} in {dtype}: {", ".join(sorted(watch.seen))} in float32')
