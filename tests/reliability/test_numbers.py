"""Numbers that are extreme, absent or no numbers, on their way through losses, steps and scores."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.optim.optimizer import amp_optimizer_wrapper
from sklearn.metrics import classification_report
from torch import Tensor, nn

from mart_mm.errors import NonFiniteLossError
from mart_mm.evaluation.emotion_metric import EmotionMetric, emotion_scores
from mart_mm.models.backbones.msaf_fusion import MSAFFusion
from mart_mm.models.losses.distribution import distribution_kl
from mart_mm.models.losses.moco import moco_loss
from mart_mm.models.losses.pcce import polarity_consistent_cross_entropy
from mart_mm.models.losses.tacl import cpc_loss, tacl_loss
from mart_mm.models.losses.tcl import soft_contrast
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.models.recognizers.step import take_step
from mart_mm.registry import MODELS

POLARITY = [-1, -1, -1, 1, -1, 1]


def pretexts(helpers: object) -> dict[str, dict | None]:
    """One of each family."""
    visual = dict(helpers.pretext()['visual'], targets=[dict(type='PixelTarget')])
    visual['masker'] = dict(type='RandomMasker', ratio=0.6)
    text = dict(type='FusionBert', embed_dims=16, depth=2, num_heads=2, fusion_layer=1)
    over_time = dict(type='EmotionDistributionTarget', granularity='tubelet', axis='time')
    return dict(
        supervised=None,
        mart=helpers.pretext(verify_level=1),
        across=helpers.pretext(
            tacl=dict(type='TACL', across_videos=True),
            visual=dict(helpers.pretext()['visual'], targets=[over_time]),
        ),
        official=helpers.pretext(
            tacl=dict(type='OfficialCPC', sign=-1),
            aux_classifier=dict(type='LexiconAwareClassifier'),
        ),
        videomae=dict(type='MaskedModeling', visual=visual),
        moco=dict(type='MoCoV3', hidden_dims=24, dims=8),
        tcl=dict(type='TCL', text=dict(text, vocab_size=100), dims=8, queue_size=6),
    )


FAMILIES = ('supervised', 'mart', 'across', 'official', 'videomae', 'moco', 'tcl')
CONTRASTS_VIDEOS = ('moco', 'tcl')


def two_views(helpers: object, **options: object) -> dict:
    batch, other = helpers.batch(**options), helpers.batch(**options, seed=1)
    batch['inputs']['second'] = {key: other['inputs'][key] for key in ('imgs', 'audios')}
    return batch


def no_words(batch: dict) -> dict:
    """Subtitles in which the lexicon knows nothing, or none at all."""
    batch['inputs']['cues']['valid'].zero_()
    batch['inputs']['present']['text'].zero_()
    for sample in batch['data_samples']:
        sample.cues, sample.texts = [[] for _ in sample.cues], [''] * len(sample.texts)
    return batch


def step_of(model: AffectiveRecognizer, batch: dict) -> dict[str, float]:
    """Losses of a training step, behind which all is finite."""
    losses = model.train_step(batch, OptimWrapper(torch.optim.SGD(model.parameters(), 1e-2)))
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    assert all(buffer.isfinite().all() for buffer in model.buffers())
    values = {name: float(value) for name, value in losses.items()}
    assert all(map(math.isfinite, values.values()))
    return values


@pytest.mark.parametrize('family', FAMILIES)
def test_without_any_valid_word(helpers: object, family: str) -> None:
    """What compares words with anything is 0; what does not is trained."""
    losses = step_of(helpers.recognizer(pretexts(helpers)[family]), no_words(two_views(helpers)))
    of_words = ('tacl', 'cpc', 'aux', 'cma', 'itm', 'mlm')
    for name, value in losses.items():
        is_of_words = any(f'loss_{part}' in name for part in of_words)
        assert (value == 0) == is_of_words, (name, value)


@pytest.mark.parametrize('family', ['mart', 'official'])
def test_without_a_word_that_passes(
    helpers: object, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are words, and verification drops each of them."""
    model = helpers.recognizer(dict(pretexts(helpers)[family], verify_level=3))
    monkeypatch.setattr(
        model.pretext.verifier, 'forward', lambda d, p, cues: torch.zeros_like(cues['polarity'])
    )
    losses = step_of(model, helpers.batch())
    assert losses['loss_cls_visual'] > 0 and losses['loss_patch_visual'] > 0
    assert all(value == 0 for name, value in losses.items() if 'tacl' in name or 'cpc' in name)


@pytest.mark.parametrize('family', FAMILIES)
def test_one_segment(helpers: object, family: str) -> None:
    """TACL has no other window to push apart, and is 0."""
    batch = two_views(helpers, num_segments=1)
    losses = step_of(helpers.recognizer(pretexts(helpers)[family]), batch)
    if family == 'mart':
        assert losses['loss_tacl_visual'] == losses['loss_tacl_audio'] == 0
    assert sum(losses.values()) != 0


@pytest.mark.parametrize('family', FAMILIES)
def test_one_video(helpers: object, family: str) -> None:
    """What contrasts videos says how to get two; all else trains."""
    model, batch = helpers.recognizer(pretexts(helpers)[family]), two_views(helpers, num_videos=1)
    if family in CONTRASTS_VIDEOS:
        with pytest.raises(ValueError, match=r'batch_size to 2 or more.*drop_last=True'):
            step_of(model, batch)
    else:
        assert step_of(model, batch)['loss'] != 0


@pytest.mark.parametrize('kind', ['VAANetHead', 'TFNConcatHead', 'CTENHead'])
def test_batch_norms_of_one_row(kind: str) -> None:
    """One video of one segment has sound: it is normalised as in evaluation, and trains."""
    sizes = dict(VAANetHead=dict(num_segments=1, audio_dims=4), TFNConcatHead=dict(audio_dims=4))
    sizes = sizes.get(kind, dict(num_segments=1, inner_dims=4, num_heads=2))
    head = MODELS.build(dict(type=kind, in_channels=8, polarity=POLARITY, **sizes))
    features = {name: torch.randn(2, 1, 8, requires_grad=True) for name in ('visual', 'audio')}
    present = dict(
        visual=torch.tensor([True, True]),
        audio=torch.tensor([False, True]),
        text=torch.zeros(2) > 0,
    )
    loss = sum(head.loss(features, torch.tensor([0, 3]), present).values())
    loss.backward()
    assert loss.isfinite() and loss > 0
    for name, x in features.items():
        assert x.grad.isfinite().all() and x.grad[1].abs().sum() > 0, name


def test_fused_blocks_of_one_row() -> None:
    fusion = MSAFFusion(dict(visual=8, audio=8), block_channels=8)
    maps = {name: torch.randn(1, 8, 3, requires_grad=True) for name in ('visual', 'audio')}
    present = {name: torch.tensor([True]) for name in maps}
    total = sum(x.square().sum() for x in fusion(maps, present).values())
    total.backward()
    assert total.isfinite() and all(x.grad.isfinite().all() for x in maps.values())


@pytest.mark.parametrize('family', ['mart', 'official', 'tcl'])
def test_nobody_has_sound(helpers: object, family: str) -> None:
    losses = step_of(
        helpers.recognizer(pretexts(helpers)[family]), two_views(helpers, audio=(False, False))
    )
    assert all(value == 0 for name, value in losses.items() if name.endswith('_audio'))
    assert losses['loss'] != 0


@pytest.mark.parametrize(
    ('place', 'value'), [('audios', math.nan), ('audios', -math.inf), ('weight', math.inf)]
)
def test_no_number_stops_before_the_step(helpers: object, place: str, value: float) -> None:
    """The error lists all losses, and the weights are those of the step before."""
    model, batch = helpers.recognizer(pretexts(helpers)['mart']), helpers.batch()
    if place == 'audios':
        batch['inputs']['audios'][1, 0, 0, 0] = value
    else:
        with torch.no_grad():
            model.backbone.visual.patch_embed.bias[0] = value
    before = {name: x.clone() for name, x in model.state_dict().items()}
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), 1e-2))
    with pytest.raises(NonFiniteLossError, match='loss_cls_visual=.*loss_cls_audio=.*clip_grad'):
        model.train_step(batch, wrapper)
    for name, x in model.state_dict().items():
        torch.testing.assert_close(x, before[name], rtol=0, atol=0, equal_nan=True)


class Scaled(nn.Module):
    """A loss of one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([2.0]))


def test_overflow_under_gradient_scaling_skips_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scaled gradient beyond float32: weights stay, the scale falls, the next step is made."""
    monkeypatch.setattr(amp_optimizer_wrapper, 'is_cuda_available', lambda: True)
    monkeypatch.setattr(
        amp_optimizer_wrapper,
        'GradScaler',
        lambda **options: torch.amp.GradScaler('cpu', **options),
    )
    model = Scaled()
    wrapper = AmpOptimWrapper(
        optimizer=torch.optim.SGD(model.parameters(), 0.5),
        loss_scale=dict(init_scale=1e38, backoff_factor=1e-30),
    )
    scales = []
    for expected in (2.0, 2.0 - 0.5 * 10):
        total = 10 * model.weight.sum()
        values = take_step(total, dict(loss=total), wrapper)
        assert float(values['loss']) == 20 and model.weight.item() == pytest.approx(expected)
        scales.append(wrapper.loss_scaler.get_scale())
    assert scales[0] == pytest.approx(1e8) == pytest.approx(scales[1])


def ce(logits: np.ndarray, label: int) -> float:
    logits = logits.astype(np.float64)
    top = logits.max()
    return float(top + math.log(np.exp(logits - top).sum()) - logits[label])


@pytest.mark.parametrize('size', [1.0, 1e2, 1e4])
def test_pcce_of_extreme_logits(size: float) -> None:
    logits = size * torch.randn(7, 6, generator=torch.Generator().manual_seed(1))
    logits.requires_grad_()
    labels, signs = torch.arange(7) % 6, torch.tensor(POLARITY)
    loss = polarity_consistent_cross_entropy(logits, labels, signs, 0.5)
    for row, label, value in zip(
        logits.detach().numpy(), labels.tolist(), loss.tolist(), strict=True
    ):
        weight = 1.5 if POLARITY[row.argmax()] != POLARITY[label] else 1.0
        assert value == pytest.approx(weight * ce(row, label), rel=1e-5, abs=1e-4)
    loss.sum().backward()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize('size', [1.0, 1e2, 1e4])
def test_kl_of_extreme_scores(size: float) -> None:
    generator = torch.Generator().manual_seed(2)
    p, q = (size * torch.randn(7, 6, generator=generator) for _ in range(2))
    q.requires_grad_()
    loss = distribution_kl(p.softmax(-1), q.log_softmax(-1))
    for given, guessed, value in zip(p.numpy(), q.detach().numpy(), loss.tolist(), strict=True):
        log_p = np.array([-ce(given, c) for c in range(6)])
        log_q = np.array([-ce(guessed, c) for c in range(6)])
        exact = float((np.exp(log_p) * (log_p - log_q)).sum())
        assert value == pytest.approx(exact, rel=1e-4, abs=1e-4)
    loss.sum().backward()
    assert q.grad.isfinite().all()


def test_tacl_of_extreme_similarities() -> None:
    """A temperature of 1e-4 makes logits of up to 1e4."""
    generator = torch.Generator().manual_seed(3)
    f, w, o = (torch.randn(2, 3, 2, 8, generator=generator) for _ in range(3))
    w[0, 0, 0], o[0, 1, 0], f[1, 1, 1] = f[0, 0, 0], -f[0, 0, 0], 0.0
    f.requires_grad_()
    valid = torch.ones(2, 3, 2, dtype=torch.bool)
    loss = tacl_loss(f, w, o, valid, temperature=1e-4)
    unit = [x.detach().double().numpy() for x in (f, w, o)]
    unit = [x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12) for x in unit]
    for b, s, k in np.ndindex(2, 3, 2):
        own = unit[0][b, s, k] @ unit[1][b, s, k] / 1e-4
        others = [
            unit[0][b, s, k] @ unit[2][b, i, j] / 1e-4 for i in range(3) for j in range(2) if i != s
        ]
        exact = ce(np.array([own, *others]), 0)
        assert loss[b, s, k].item() == pytest.approx(exact, rel=1e-4, abs=1e-2)
    loss.sum().backward()
    assert f.grad.isfinite().all()


VALID = torch.ones(3, dtype=torch.bool)
CONTRASTS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    'cpc': lambda x, y: cpc_loss(x, y, VALID),
    'moco': lambda x, y: moco_loss(x, y, VALID, 1e-3),
    'soft_contrast': lambda x, y: soft_contrast(
        x,
        y,
        torch.ones(3, 3, dtype=torch.bool),
        torch.tensor(1e-3),
        momentum_queries=y,
        soft_share=0.4,
    ),
}


@pytest.mark.parametrize('name', CONTRASTS)
@pytest.mark.parametrize('fill', [0.0, 1e-30, 1e15])
def test_contrasts_of_extreme_vectors(name: str, fill: float) -> None:
    """Vectors of no length, and of a great one, have finite losses and gradients."""
    x = torch.full((3, 8), fill, requires_grad=True)
    scale = 1 if name != 'soft_contrast' or not fill else fill * math.sqrt(8)  # takes unit vectors
    loss = CONTRASTS[name](x / scale, torch.eye(3, 8))
    assert loss.isfinite().all()
    loss.sum().backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize(
    'absent', ['from the labels', 'from the predictions', 'from both', 'all but one']
)
def test_scores_with_a_class_absent(absent: str) -> None:
    """As scikit-learn defines them; recall of a class without videos is not a number."""
    rng = np.random.default_rng(0)
    labels, predicted = rng.integers(0, 6, 60), rng.integers(0, 6, 60)
    if absent in ('from the labels', 'from both'):
        labels[labels == 2] = 3
    if absent in ('from the predictions', 'from both'):
        predicted[predicted == 2] = 3
    if absent == 'all but one':
        labels[:] = predicted[:] = 4
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        scores = emotion_scores(labels, predicted, POLARITY)
    report = classification_report(labels, predicted, output_dict=True, zero_division=0)
    assert scores['emotion_f1'] == pytest.approx(100 * report['weighted avg']['f1-score'])
    assert scores['emotion_f1_macro'] == pytest.approx(100 * report['macro avg']['f1-score'])
    assert scores['emotion_acc'] == pytest.approx(100 * (labels == predicted).mean())
    for index, value in enumerate(scores['recall']):
        if (labels == index).any():
            assert value == pytest.approx(100 * (predicted[labels == index] == index).mean())
        else:
            assert math.isnan(value)


def test_dumped_scores_are_json_also_without_a_class(tmp_path: Path) -> None:
    metric = EmotionMetric(dump=str(tmp_path / 'scores'))
    metric.dataset_meta = dict(classes=['anger', 'joy'], polarity=[-1, 1])
    metric.process({}, [dict(video_id='a', gt_emotion=0, pred_emotion=0, pred_scores=[0.9, 0.1])])
    assert math.isnan(metric.evaluate(1)['affect/recall_joy'])

    def refuse(name: str) -> None:
        raise AssertionError(f'{name} is no JSON')

    content = json.loads((tmp_path / 'scores.json').read_text(), parse_constant=refuse)
    assert content['scores']['recall'] == [100.0, None]


@pytest.mark.parametrize(
    ('kind', 'name'),
    [(kind, 'ratio') for kind in ('RandomMasker', 'TubeMasker', 'FrameMasker', 'CubeMasker')]
    + [('ClusterMasker', 'ratio'), ('TimeFrequencyMasker', 'time_ratio'), ('RunningCellMasker', 'ratio')],
)  # fmt: skip
@pytest.mark.parametrize('value', [-0.1, 1.0, 2.0, math.nan, math.inf])
def test_ratios_out_of_range(kind: str, name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f'{name}={value}'):
        MODELS.build(dict(type=kind, **{name: value}))
