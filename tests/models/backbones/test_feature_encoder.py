from __future__ import annotations

import pytest
import torch

from mart_mm.models.feature_data_preprocessor import FeatureDataPreprocessor
from mart_mm.registry import MODELS

DIMS = dict(visual=5, audio=7)
TOKENS = 6
TEXT = dict(type='LexiconVectorEncoder', dims=16)


def backbone() -> dict:
    shared = dict(num_tokens=TOKENS, embed_dims=32, depth=2, num_heads=4)
    return dict(
        type='FeatureEncoder',
        visual=dict(in_dims=5, **shared),
        audio=dict(in_dims=7, **shared),
        num_bottlenecks=2,
        fusion_layer=1,
    )


def recognizer(helpers: object, with_pretext: bool = True) -> torch.nn.Module:
    pretext = None
    if with_pretext:
        pretext = helpers.pretext(verify_level=0, self_attention_share=0.5)
        for name, dims in DIMS.items():
            target = dict(type='FeatureTarget', modality=name, dims=dims)
            pretext[name] = pretext[name] | dict(
                targets=[target, dict(type='EmotionDistributionTarget')]
            )
    return MODELS.build(
        dict(
            type='AffectiveRecognizer',
            data_preprocessor=dict(type='FeatureDataPreprocessor', text_encoder=TEXT, dims=DIMS),
            backbone=backbone(),
            head=dict(type='PolarityConsistentHead', polarity=helpers.polarity),
            pretext=pretext,
        )
    )


def make_batch(helpers: object, visual: list[bool], audio: list[bool]) -> dict:
    batch = helpers.batch(len(visual), num_segments=3)
    rng = torch.Generator().manual_seed(1)
    inputs = batch['inputs']
    inputs['imgs'] = torch.randn(len(visual), 3, TOKENS, 5, generator=rng)
    inputs['audios'] = torch.randn(len(visual), 3, TOKENS, 7, generator=rng)
    inputs['present'] |= dict(visual=torch.tensor(visual), audio=torch.tensor(audio))
    return batch


def test_dropping_is_encoding_what_is_left() -> None:
    stream = MODELS.build(dict(type='FeatureStream', in_dims=5, num_tokens=TOKENS, embed_dims=16))
    x, is_masked = torch.randn(2, TOKENS, 5), torch.zeros(2, TOKENS, dtype=torch.bool)
    is_masked[0, [1, 4]] = is_masked[1, [0, 5]] = True
    found = stream(x, is_masked=is_masked)
    for row, keep in enumerate(([0, 2, 3, 5], [1, 2, 3, 4])):
        tokens = (stream.project(x[row]) + stream.positions[0])[keep]
        sequence = torch.cat([stream.cls_token[0], tokens])[None]
        for block in stream.blocks:
            sequence, _ = block(sequence)
        sequence = stream.norm(sequence)
        torch.testing.assert_close(found.tokens[row], sequence[0, 1:])
        torch.testing.assert_close(found.embed[row], sequence[0, 0])
    attention = stream(x, return_attention=True).attention
    assert attention.shape == (2, TOKENS)
    with pytest.raises(ValueError, match='let num_tokens and in_dims agree'):
        stream(torch.randn(2, TOKENS, 4))


def test_every_parameter_of_mart_learns_from_features(helpers: object) -> None:
    model = recognizer(helpers)
    batch = make_batch(helpers, [True, True, False], [True, False, True])
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    assert {'loss_patch_visual', 'loss_kl_audio', 'loss_cls_visual'} <= set(losses)
    assert all(torch.isfinite(value) for value in losses.values())
    sum(losses.values()).backward()
    still = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert still == []


@pytest.mark.parametrize('absent', ['visual', 'audio'])
def test_an_absent_modality_changes_nothing(helpers: object, absent: str) -> None:
    """Whatever stands in its place: no loss, no prediction and no feature of the other changes."""
    has = [True, False]
    batch = make_batch(
        helpers, *([has, [True, True]] if absent == 'visual' else [[True, True], has])
    )
    key = dict(visual='imgs', audio='audios')[absent]
    model = recognizer(helpers).eval()
    outcomes = []
    for value in (0.0, 3.0):
        batch['inputs'][key][1] = value
        torch.manual_seed(0)
        losses = model(**model.data_preprocessor(batch, False), mode='loss')
        samples = model(**model.data_preprocessor(batch, False), mode='predict')
        outcomes.append((losses, [sample.pred_scores.clone() for sample in samples]))
    (first, scores), (second, others) = outcomes
    for name in first:
        torch.testing.assert_close(first[name], second[name])
    for one, other in zip(scores, others, strict=True):
        torch.testing.assert_close(one, other)
    alone = make_batch(helpers, [False, False], [True, True]) if absent == 'visual' else None
    if alone:
        losses = model(**model.data_preprocessor(alone, False), mode='loss')
        assert losses['loss_cls_visual'] == 0 and losses['loss_patch_visual'] == 0


def test_normalisation(tmp_path: object) -> None:
    import numpy as np

    stats = {
        f'{name}_{part}': np.full(dims, value, np.float32)
        for name, dims in DIMS.items()
        for part, value in (('mean', 2.0), ('std', 4.0))
    }
    np.savez(tmp_path / 'stats.npz', **stats)
    options = dict(text_encoder=TEXT, dims=DIMS)
    module = FeatureDataPreprocessor(stats=str(tmp_path / 'stats.npz'), **options)
    module.init_weights()
    view = dict(imgs=torch.full((2, 1, 1, 5), 10.0), audios=torch.full((2, 1, 1, 7), 100.0))
    present = dict(visual=torch.tensor([True, False]), audio=torch.tensor([True, True]))
    found = module.normalise(view, present)
    assert found['imgs'][0].unique().item() == 2.0 and found['imgs'][1].unique().item() == 0.0
    assert found['audios'].unique().item() == 24.5
    restored = FeatureDataPreprocessor(stats='gone.npz', **options)
    restored.load_state_dict(module.state_dict())  # checkpoints hold the statistics
    torch.testing.assert_close(restored.normalise(view, present), found)
    with pytest.raises(FileNotFoundError, match=r'tools/data/feature_stats\.py'):
        restored.init_weights()
    with pytest.raises(ValueError, match='not normalised.*feature_stats'):
        FeatureDataPreprocessor(**options).normalise(view, present)
    wrong = FeatureDataPreprocessor(
        text_encoder=TEXT, dims=dict(visual=9, audio=7), stats=str(tmp_path / 'stats.npz')
    )
    with pytest.raises(ValueError, match='visual features of 5 dimensions, the config says 9'):
        wrong.init_weights()


@torch.no_grad()
def test_mask_tokens_stand_for_hidden_vectors() -> None:
    stream = MODELS.build(
        dict(type='FeatureStream', in_dims=5, num_tokens=TOKENS, embed_dims=16, mask_token=True)
    ).eval()
    x, is_masked = torch.randn(2, TOKENS, 5), torch.zeros(2, TOKENS, dtype=torch.bool)
    is_masked[:, 2] = True
    other = x.clone()
    other[:, 2] = 9.0
    found = [stream(value, is_masked=is_masked, mask_mode='token') for value in (x, other)]
    torch.testing.assert_close(found[0].tokens, found[1].tokens)
    assert found[0].tokens.shape[1] == TOKENS
    assert (stream(x).tokens - stream(other).tokens).abs().max() > 1e-3


def test_both_modalities_absent_in_one_video_of_a_batch(helpers: object) -> None:
    """Nothing is known of it: its scores are even, and its label is in no loss."""
    model = recognizer(helpers).eval()
    batch = make_batch(helpers, [True, False], [True, False])
    torch.manual_seed(0)
    losses = model(**model.data_preprocessor(batch, False), mode='loss')
    assert all(torch.isfinite(value) for value in losses.values())
    labels = [sample.gt_emotion for sample in batch['data_samples']]
    batch['data_samples'][1].gt_emotion = (labels[1] + 1) % 6
    torch.manual_seed(0)
    again = model(**model.data_preprocessor(batch, False), mode='loss')
    for name in losses:
        torch.testing.assert_close(losses[name], again[name])
    samples = model(**model.data_preprocessor(batch, False), mode='predict')
    torch.testing.assert_close(samples[1].pred_scores, torch.full((6,), 1 / 6))
