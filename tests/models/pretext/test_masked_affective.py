import copy

import pytest
import torch

from mart_mm.models.targets.base import extract_patches
from mart_mm.registry import MODELS

LOSSES = {
    'loss_cls_visual', 'loss_cls_audio', 'loss_tacl_visual', 'loss_tacl_audio',
    'loss_patch_visual', 'loss_patch_audio', 'loss_kl_visual', 'loss_kl_audio',
}  # fmt: skip


def run(model: torch.nn.Module, batch: dict) -> dict:
    data = model.data_preprocessor(batch, True)
    return model(**data, mode='loss')


def test_every_parameter_learns_and_is_in_the_optimiser(helpers: object) -> None:
    model = helpers.recognizer(helpers.pretext())
    losses = run(model, helpers.batch())
    assert set(losses) == LOSSES
    total, _ = model.parse_losses(losses)
    total.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    optimizer = torch.optim.AdamW(model.parameters())
    inside = {id(p) for group in optimizer.param_groups for p in group['params']}
    assert {id(p) for p in model.pretext.parameters()} <= inside


def test_text_encoder_is_outside_the_state(helpers: object) -> None:
    model = helpers.recognizer(helpers.pretext())
    assert copy.deepcopy(model).data_preprocessor._text is model.data_preprocessor._text
    assert not [key for key in model.state_dict() if key.startswith('data_preprocessor')]


def test_batch_of_two_equals_two_batches_of_one(helpers: object) -> None:
    model = helpers.recognizer(helpers.pretext(verify_level=1)).eval()
    both = helpers.batch(num_videos=2)
    view = model.pretext.view(model, model.data_preprocessor(both)['inputs'])
    masked = model.pretext.choose(view)
    predictions = model.val_step(both)
    for video in range(2):

        def pick(x: object, video: int = video) -> object:
            if isinstance(x, dict):
                return {key: pick(value, video) for key, value in x.items()}
            return x[video : video + 1]

        single = dict(inputs=pick(both['inputs']), data_samples=[both['data_samples'][video]])
        own = model.pretext.view(model, model.data_preprocessor(single)['inputs'])
        part = slice(3 * video, 3 * video + 3)
        torch.testing.assert_close(own.distribution[0], view.distribution[video])
        torch.testing.assert_close(
            own.aware['visual'].attention,
            view.aware['visual'].attention[part],
            atol=1e-6,
            rtol=1e-4,
        )
        assert torch.equal(model.pretext.choose(own)['visual'], masked['visual'][part])
        scores = predictions[video].pred_scores.clone()
        torch.testing.assert_close(model.val_step(single)[0].pred_scores, scores)


def test_permuting_segments_permutes_outputs(helpers: object) -> None:
    model = helpers.recognizer().eval()
    batch = helpers.batch(num_videos=1)
    before = model.val_step(batch)[0]
    scores, temporal = before.pred_scores.clone(), before.temporal_scores.clone()
    order = [2, 0, 1]
    for key in ('imgs', 'audios'):
        batch['inputs'][key] = batch['inputs'][key][:, order]
    after = model.val_step(batch)[0]
    torch.testing.assert_close(after.pred_scores, scores)
    torch.testing.assert_close(after.temporal_scores, temporal[order])


def test_masks_what_the_words_look_at(helpers: object) -> None:
    """A planted attention decides the mask; without verified words the own attention does."""
    model = helpers.recognizer(helpers.pretext()).eval()
    view = model.pretext.view(model, model.data_preprocessor(helpers.batch())['inputs'])
    attention = torch.zeros_like(view.aware['visual'].attention)
    attention[..., 5:9] = torch.tensor([0.4, 0.3, 0.2, 0.1])
    aware = dict(view.aware, visual=view.aware['visual']._replace(attention=attention))
    is_verified = view.is_verified.clone()
    is_verified[1] = False
    view = view._replace(aware=aware, is_verified=is_verified)
    model.pretext.mask_progress = 0.1  # r = .18: ceil(3.24) = 4 of 18 masked, none revealed
    is_masked = model.pretext.choose(view)['visual']
    for row in range(3):
        assert is_masked[row].nonzero().flatten().tolist() == [5, 6, 7, 8]
    own = view.output.visual_attention[3:].topk(4).indices
    for row in range(3):
        assert sorted(own[row].tolist()) == is_masked[3 + row].nonzero().flatten().tolist()


def test_verify_level_selects_words(helpers: object) -> None:
    model = helpers.recognizer(helpers.pretext()).eval()
    inputs = model.data_preprocessor(helpers.batch(num_cues=8))['inputs']
    valid = inputs['cues']['valid']
    kept = []
    for level in range(4):
        model.pretext.verify_level = level
        view = model.pretext.view(model, inputs)
        assert torch.equal(view.is_verified, valid & (view.levels >= level))
        kept.append(int(view.is_verified.sum()))
    assert kept[0] == int(valid.sum())
    assert kept == sorted(kept, reverse=True)
    assert kept[3] < kept[0]


def test_absent_sound_and_words_leave_no_trace(helpers: object) -> None:
    model = helpers.recognizer(helpers.pretext()).eval()
    batch = helpers.batch(audio=(True, False))
    batch['inputs']['cues']['valid'][1] = False
    first = run(model, batch)
    batch['inputs']['audios'][1] += 50
    second = run(model, batch)
    for name in LOSSES:
        torch.testing.assert_close(first[name], second[name])
    assert all(torch.isfinite(value) for value in first.values())
    batch['inputs']['cues']['valid'][:] = False
    assert run(model, batch)['loss_tacl_visual'] == 0


def test_distribution_recovery_reaches_the_encoder(helpers: object) -> None:
    model = helpers.recognizer(helpers.pretext())
    losses = run(model, helpers.batch())
    (losses['loss_kl_visual'] + losses['loss_kl_audio']).backward()
    assert model.backbone.visual.patch_embed.weight.grad.abs().sum() > 0
    assert model.backbone.audio.patch_embed.weight.grad.abs().sum() > 0
    assert model.head.classifiers['visual'].weight.grad is None  # the target is detached


def test_official_deviations_run_together(helpers: object) -> None:
    pretext = helpers.pretext(
        mask_stage='decoder',
        self_attention_share=0.9,
        tacl=dict(type='OfficialCPC', sign=-1),
        attention=dict(type='LexiconAttention', num_heads=4, qkv_act='relu'),
        aux_classifier=dict(type='LexiconAwareClassifier'),
        audio=None,
        freeze=True,
    )
    pretext['visual']['masker'] = dict(type='EmotionMasker', reveal='random_top', mask_prob=0.5)
    pretext['visual']['targets'] = [dict(type='PixelTarget')]
    model = helpers.recognizer(pretext, pool='mean')
    losses = run(model, helpers.batch())
    assert set(losses) == {
        'loss_cls_visual', 'loss_cls_audio', 'loss_aux_visual', 'loss_aux_audio',
        'loss_cpc_visual', 'loss_cpc_audio', 'loss_patch_visual',
    }  # fmt: skip
    model.parse_losses(losses)[0].backward()
    assert all(p.grad is None for p in model.pretext.parameters())
    assert model.backbone.visual.patch_embed.weight.grad.abs().sum() > 0


@pytest.mark.parametrize('mode', ['drop', 'token'])
def test_mask_modes_recover_all_tokens(helpers: object, mode: str) -> None:
    backbone = helpers.backbone(mask_token=mode == 'token')
    model = helpers.recognizer(helpers.pretext(mask_mode=mode), backbone)
    inputs = model.data_preprocessor(helpers.batch())['inputs']
    view = model.pretext.view(model, inputs)
    model.pretext.mask_progress = 1.0
    is_masked = model.pretext.choose(view)
    decoded = model.pretext.recover(model, inputs, view, is_masked)
    assert decoded['visual'].features.shape == (6, 18, 16)
    assert decoded['audio'].features.shape == (6, 16, 16)
    total, _ = model.parse_losses(run(model, helpers.batch()))
    total.backward()
    unused = [name for name, p in model.named_parameters() if p.grad is None]
    assert unused == []


def test_golden_target_sizes_and_patches() -> None:
    backbone = MODELS.build(
        dict(
            type='MBT',
            visual=dict(type='VideoViT', embed_dims=12, depth=1, num_heads=1),
            audio=dict(type='AudioSpectrogramTransformer', embed_dims=12, depth=1, num_heads=1),
            fusion_layer=0,
        )
    )
    visual, audio = backbone.streams['visual'], backbone.streams['audio']
    clip = torch.rand(1, 3, 16, 112, 112)
    patches = extract_patches(clip, visual)
    assert patches.flatten(2).shape == (1, 392, 1536)
    t, h, w = 3, 2, 5
    expected = clip[0, :, 2 * t : 2 * t + 2, 16 * h : 16 * h + 16, 16 * w : 16 * w + 16]
    got = patches[0, t * 49 + h * 7 + w].reshape(3, 2, 16, 16)
    assert torch.equal(got, expected)
    picture = torch.rand(1, 1, 128, 100)
    patches = extract_patches(picture, audio)
    assert patches.flatten(2).shape == (1, 108, 256)
    got = patches[0, 4 * 9 + 7, 0].reshape(16, 16)
    assert torch.equal(got, picture[0, 0, 40:56, 70:86])


def test_pixel_target_is_normalised_per_channel(helpers: object) -> None:
    model = helpers.recognizer(helpers.pretext())
    inputs = model.data_preprocessor(helpers.batch())['inputs']
    target = model.pretext.branches['visual'].targets[0]
    patches = target.patches(inputs).unflatten(-1, (128, 3))  # (BS, N, positions, channels)
    raw = inputs['pixels'].flatten(0, 1).float() / 255
    first = raw[0, :, :2, :8, :8].reshape(3, -1)
    for channel in range(3):
        values = first[channel]
        expected = (values - values.mean()) / (values.std(unbiased=True) + 1e-6)
        torch.testing.assert_close(patches[0, 0, :, channel], expected, atol=1e-5, rtol=1e-4)


def test_patch_loss_counts_masked_tokens_only(helpers: object) -> None:
    model = helpers.recognizer(helpers.pretext()).eval()
    inputs = model.data_preprocessor(helpers.batch(audio=(True, False)))['inputs']
    branch = model.pretext.branches['audio']
    view = model.pretext.view(model, inputs)
    is_masked = model.pretext.choose(view)
    decoded = model.pretext.recover(model, inputs, view, is_masked)['audio']
    context = model.pretext.context(view, is_masked, inputs, 'audio')
    target = branch.targets[0]
    total, count = 0.0, 0
    for row in range(3):  # the first video only: the second one has no sound
        for place, token in enumerate(decoded.index[row].tolist()):
            if not is_masked['audio'][row, token]:
                continue
            error = target.head(decoded.features[row, place]) - target.patches(inputs)[row, token]
            total += error.square().mean().item()
            count += 1
    expected = 0.05 * total / count
    got = target.loss(decoded, inputs, context)['loss_patch']
    assert got.item() == pytest.approx(expected, rel=1e-4)
