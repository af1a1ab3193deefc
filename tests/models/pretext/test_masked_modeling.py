from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from mart_mm.models.pretext.masked_modeling import MaskedModeling
from mart_mm.models.targets.base import extract_patches
from mart_mm.registry import MODELS

DECODER = dict(type='TransformerDecoder', dims=16, depth=1, num_heads=2)
CLIP = dict(
    dims=8,
    config=dict(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=24,
        patch_size=8,
        projection_dim=8,
    ),
)
PIXELS = dict(type='PixelTarget', norm=None, loss_weight=1.0)
SOUND = dict(type='FbankTarget', loss_weight=1.0)
#: branches as the configs have them, small
ROWS = {
    'videomae': dict(
        visual=dict(masker=dict(type='TubeMasker'), decoder=DECODER, targets=[PIXELS])
    ),
    'videomaev2': dict(
        visual=dict(
            masker=dict(type='TubeMasker', ratio=0.7),
            decoder_masker=dict(type='RunningCellMasker'),
            decoder=DECODER,
            targets=[PIXELS],
        )
    ),
    'maest': dict(
        visual=dict(
            masker=dict(type='RandomMasker', ratio=0.9),
            decoder=DECODER | dict(positions='learned', class_token='own'),
            targets=[dict(type='PixelTarget', norm='per_patch', frames='first')],
        )
    ),
    'maskfeat': dict(
        visual=dict(
            masker=dict(type='CubeMasker'),
            decoder=dict(type='LinearDecoder'),
            targets=[dict(type='HOGTarget', cell=4)],
        ),
        mask_mode='token',
    ),
    'milan': dict(
        visual=dict(
            importance=dict(type='CLIPAttention', clip=CLIP),
            masker=dict(type='ImportanceSampledMasker'),
            decoder=dict(type='PromptingDecoder', dims=16, depth=1, num_heads=2),
            targets=[dict(type='CLIPTarget', clip=CLIP, all_tokens=True)],
        )
    ),
    'mgmae': dict(
        visual=dict(
            importance=dict(type='MotionVisibleMap', flow=dict(type='DISFlow'), ratio=0.7),
            masker=dict(type='MotionGuidedMasker', ratio=0.7),
            decoder=DECODER,
            targets=[PIXELS],
        )
    ),
    'audiomae': dict(
        audio=dict(
            masker=dict(type='RandomMasker', ratio=0.8),
            decoder=DECODER | dict(positions='axial', class_token='encoder'),
            targets=[dict(type='FbankTarget', norm_patch=True)],
        )
    ),
    'ssast': dict(
        audio=dict(
            masker=dict(type='ClusterMasker', min_size=1, max_size=2),
            decoder=dict(type='LinearDecoder', norm=False),
            targets=[dict(type='SSASTTarget')],
        ),
        mask_mode='token',
    ),
    'both streams': dict(
        visual=dict(masker=dict(type='RandomMasker'), decoder=DECODER, targets=[PIXELS]),
        audio=dict(masker=dict(type='RandomMasker'), decoder=DECODER, targets=[SOUND]),
    ),
}


def build(helpers: object, row: str) -> nn.Module:
    pretext = copy.deepcopy(ROWS[row])
    backbone = helpers.backbone(mask_token=pretext.get('mask_mode') == 'token')
    return helpers.recognizer(dict(type='MaskedModeling', **pretext), backbone)


def losses_of(model: nn.Module, batch: dict) -> dict[str, Tensor]:
    torch.manual_seed(1)
    return model(**model.data_preprocessor(copy.deepcopy(batch), True), mode='loss')


@pytest.mark.parametrize('row', ROWS)
def test_row_teaches_backbone_decoder_and_heads(helpers: object, row: str) -> None:
    model = build(helpers, row)
    losses = losses_of(model, helpers.batch())
    streams = set(model.pretext.branches)
    assert {name.rsplit('_', 1)[1] for name in losses} == streams
    model.parse_losses(losses)[0].backward()
    for name, parameter in model.pretext.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    for stream in streams:
        first = next(iter(getattr(model.backbone, stream).parameters()))
        assert first.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in model.head.parameters())


@pytest.mark.parametrize('row', ROWS)
def test_no_label_and_no_word_is_read(helpers: object, row: str) -> None:
    model, batch = build(helpers, row), helpers.batch()
    before = losses_of(model, batch)
    for sample in batch['data_samples']:
        del sample.gt_emotion
    batch['inputs']['cues']['valid'] &= False
    for name, value in losses_of(model, batch).items():
        torch.testing.assert_close(value, before[name])


def test_video_without_the_modality_counts_for_nothing(helpers: object) -> None:
    """The loss is that of the videos that have sound."""
    model = build(helpers, 'audiomae').eval()
    batch = helpers.batch(num_videos=2, audio=(True, False))
    inputs = model.data_preprocessor(copy.deepcopy(batch), True)['inputs']
    torch.manual_seed(1)
    is_masked = model.pretext.choose(model, inputs)['audio']
    branch = model.pretext.branches['audio']
    output = model.extract_feat(inputs, audio_is_masked=is_masked, mask_mode='drop')
    decoded = branch.decode(output.audio_tokens, output.audio_embed, is_masked)
    patches = extract_patches(
        inputs['audios'].flatten(0, 1).transpose(1, 2)[:, None], branch.stream
    ).flatten(2)
    patches = (patches - patches.mean(-1, keepdim=True)) / (
        patches.var(-1, keepdim=True) + 1e-6
    ).sqrt()
    errors = []
    for segment in range(3):  # of the first video
        predicted = branch.targets[0].head(decoded.hidden().features[segment])
        places = is_masked[segment].nonzero().flatten()
        assert decoded.hidden().index[segment].sort().values.tolist() == places.tolist()
        for row, place in enumerate(decoded.hidden().index[segment].tolist()):
            errors.append((predicted[row] - patches[segment, place]).square().mean())
    expected = torch.stack(errors).mean() * branch.targets[0].loss_weight
    torch.testing.assert_close(losses_of(model, batch)['loss_patch_audio'], expected)


def test_dual_masking_counts_what_is_hidden_and_decoded(helpers: object) -> None:
    """VideoMAE V2: sum over hidden tokens that the decoder keeps, over their number."""
    model, batch = build(helpers, 'videomaev2').eval(), helpers.batch()
    torch.manual_seed(1)
    inputs = model.data_preprocessor(copy.deepcopy(batch), True)['inputs']
    is_masked = model.pretext.choose(model, inputs)['visual']
    branch = model.pretext.branches['visual']
    output = model.extract_feat(inputs, visual_is_masked=is_masked, mask_mode='drop')
    decoded = branch.decode(output.visual_tokens, output.visual_embed, is_masked)
    assert decoded.index.shape[1] in (8, 10)  # of 18: half, as cells on odd planes allow
    target = branch.targets[0].target(inputs, None)
    errors = []
    for segment in range(6):
        for row, place in enumerate(decoded.index[segment].tolist()):
            if is_masked[segment, place]:
                predicted = branch.targets[0].head(decoded.features[segment, row])
                errors.append((predicted - target[segment, place]).square().mean())
    expected = torch.stack(errors).mean()
    torch.testing.assert_close(losses_of(model, batch)['loss_patch_visual'], expected)


def test_a_stream_without_branch_is_seen_whole(helpers: object) -> None:
    model = build(helpers, 'audiomae')
    seen: dict = {}
    plain = model.backbone.forward

    def recorded(*args: object, **kwargs: object) -> object:
        seen.update(kwargs)
        return plain(*args, **kwargs)

    model.backbone.forward = recorded
    losses_of(model, helpers.batch())
    assert seen['visual_is_masked'] is None
    assert int(seen['audio_is_masked'].sum(1)[0]) == 13  # 16 - int(16 * 0.2)


def test_importance_reads_an_unmasked_pass_as_in_evaluation(helpers: object) -> None:
    branch = dict(
        importance=dict(type='SelfAttention', stream_name='visual'),
        masker=dict(type='AttentionMasker', kind='high', r_min=0.5, r_max=0.5),
        decoder=DECODER,
        targets=[PIXELS],
    )
    model = helpers.recognizer(dict(type='MaskedModeling', visual=branch))
    modes = []
    model.backbone.register_forward_hook(lambda module, *_: modes.append(module.training))
    model.train()
    inputs = model.data_preprocessor(helpers.batch(), True)['inputs']
    is_masked = model.pretext.choose(model, inputs)['visual']
    assert modes == [False] and model.backbone.training
    model.eval()
    attention = model.extract_feat(inputs, return_attention=True).visual_attention
    for row, hidden in zip(attention, is_masked, strict=True):
        assert row[hidden].min() >= row[~hidden].max()


def test_generator_draws_the_same_masks(helpers: object) -> None:
    model = build(helpers, 'both streams')
    inputs = model.data_preprocessor(helpers.batch(), True)['inputs']
    draws = [
        model.pretext.choose(model, inputs, torch.Generator().manual_seed(seed))
        for seed in (3, 3, 4)
    ]
    for name in ('visual', 'audio'):
        assert torch.equal(draws[0][name], draws[1][name])
        assert not torch.equal(draws[0][name], draws[2][name])


def test_nothing_to_hide_is_refused(helpers: object) -> None:
    with pytest.raises(ValueError, match='give visual, audio or both'):
        helpers.recognizer(dict(type='MaskedModeling'))
    assert MODELS.get('MaskedModeling') is MaskedModeling
