import pytest
import torch
from torch import Tensor

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.pretext.recovery_branch import RecoveryBranch
from mart_mm.models.targets.base import RecoveryContext

STREAM = StreamSpec((8, 24, 24), (4, 3, 3), (2, 8, 8), (2, 8, 8))


def build(targets: list[dict], **kwargs: object) -> RecoveryBranch:
    config = dict(
        masker=dict(type='TubeMasker', ratio=0.8),
        decoder=dict(type='TransformerDecoder', dims=16, depth=2, num_heads=2),
        targets=targets,
        stream=STREAM,
        in_dims=12,
        num_classes=6,
        is_dropped=True,
        with_mask_token=True,
    )
    return RecoveryBranch(**config | kwargs)


def masked_batch(branch: RecoveryBranch, segments: int = 6) -> tuple[Tensor, Tensor]:
    is_masked = branch.masker(None, STREAM.grid, 0.0, batch_size=segments)
    return torch.randn(segments, int((~is_masked[0]).sum()), 12), is_masked


def test_dual_masking_decodes_and_counts_what_both_maskers_say() -> None:
    """sum(mse * is_masked) / sum(is_masked) over the tokens that the decoder sees (VideoMAE V2)."""
    branch = build([dict(type='PixelTarget')], decoder_masker=dict(type='RunningCellMasker'))
    tokens, is_masked = masked_batch(branch)
    decoded = branch.decode(tokens, torch.zeros(6, 12), is_masked)
    assert decoded.index.shape == (6, 18)  # half of the tokens, visible ones among them
    assert (~decoded.pick(is_masked)).any()
    phases = branch.decoder_masker.phases(STREAM.grid, 'cpu')
    for row in decoded.index:
        is_left_out = torch.ones(36, dtype=torch.bool)
        is_left_out[row] = False
        assert (phases == is_left_out).all(1).any()
    pixels = torch.randint(0, 256, (2, 3, 3, 8, 24, 24)).to(torch.uint8)
    target = branch.targets[0]
    truth = target.patches(dict(pixels=pixels))
    total = count = 0
    for row in range(6):
        for place, token in enumerate(decoded.index[row].tolist()):
            error = target.head(decoded.features[row, place]) - truth[row, token]
            total = total + error.square().mean() * is_masked[row, token]
            count += int(is_masked[row, token])
    assert count < int(is_masked.sum())
    context = RecoveryContext(is_masked, torch.ones(6, dtype=torch.bool))
    loss = branch.loss(decoded, dict(pixels=pixels), context)['loss_patch']
    torch.testing.assert_close(loss, 0.05 * total / count)


def test_decodes_visible_tokens_for_targets_that_read_them() -> None:
    pixel, kl = dict(type='PixelTarget'), dict(type='EmotionDistributionTarget')
    for targets, count in (([pixel], 28), ([pixel, kl], 36)):
        branch = build(targets)
        tokens, is_masked = masked_batch(branch)
        assert int(is_masked[0].sum()) == 28
        decoded = branch.decode(tokens, torch.zeros(6, 12), is_masked)
        assert decoded.features.shape == (6, count, 16)
        assert decoded.hidden().features.shape == (6, 28, 16)


def test_losses_of_one_kind_add_up() -> None:
    one = build([dict(type='PixelTarget')])
    two = build([dict(type='PixelTarget'), dict(type='PixelTarget', loss_weight=0.1)])
    two.decoder.load_state_dict(one.decoder.state_dict())
    for target in two.targets:
        target.load_state_dict(one.targets[0].state_dict())
    tokens, is_masked = masked_batch(one)
    inputs = dict(pixels=torch.randint(0, 256, (2, 3, 3, 8, 24, 24)).to(torch.uint8))
    context = RecoveryContext(is_masked, torch.ones(6, dtype=torch.bool))
    losses = [
        b.loss(b.decode(tokens, torch.zeros(6, 12), is_masked), inputs, context) for b in (one, two)
    ]
    torch.testing.assert_close(3 * losses[0]['loss_patch'], losses[1]['loss_patch'])


def test_linear_decoder_needs_an_encoder_that_sees_mask_tokens() -> None:
    linear = dict(decoder=dict(type='LinearDecoder'), is_dropped=False)
    assert build([dict(type='HOGTarget')], with_mask_token=False, **linear).decoder.dims == 12
    with pytest.raises(ValueError, match='mask_mode'):
        build([dict(type='HOGTarget')], **linear)
    with pytest.raises(ValueError, match='decoder_masker'):
        build(
            [dict(type='HOGTarget')],
            with_mask_token=False,
            decoder_masker=dict(type='RunningCellMasker'),
            **linear,
        )


@pytest.mark.parametrize('mask_mode', ['drop', 'token'])
@pytest.mark.parametrize('decoder', ['TransformerDecoder', 'PromptingDecoder'])
def test_dual_masking_inside_mart(helpers: object, mask_mode: str, decoder: str) -> None:
    pretext = helpers.pretext(mask_mode=mask_mode)
    pretext['visual'] = dict(
        masker=dict(type='RandomMasker', ratio=0.6),
        decoder_masker=dict(type='RunningCellMasker'),
        decoder=dict(type=decoder, dims=16, depth=1, num_heads=2),
        targets=[dict(type='PixelTarget'), dict(type='EmotionDistributionTarget')],
    )
    model = helpers.recognizer(pretext, helpers.backbone(mask_token=mask_mode == 'token'))
    losses = model(**model.data_preprocessor(helpers.batch()), mode='loss')
    model.parse_losses(losses)[0].backward()
    unused = [name for name, p in model.named_parameters() if p.grad is None]
    assert unused == []


def test_maskfeat_ssast_and_milan_branches_learn(helpers: object) -> None:
    clip = dict(
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
    maskfeat = dict(
        masker=dict(type='RandomMasker', ratio=0.4),
        decoder=dict(type='LinearDecoder'),
        targets=[dict(type='HOGTarget')],
    )
    ssast = dict(
        masker=dict(type='RandomMasker', ratio=0.75),
        decoder=dict(type='LinearDecoder', norm=False),
        targets=[dict(type='SSASTTarget')],
    )
    milan = dict(
        masker=dict(type='RandomMasker', ratio=0.75),
        decoder=dict(type='PromptingDecoder', dims=16, depth=2, num_heads=2),
        targets=[dict(type='CLIPTarget', clip=clip, all_tokens=True)],
    )
    for visual, audio, mode, names in (
        (maskfeat, ssast, 'token', ['loss_hog_visual', 'loss_nce_audio', 'loss_patch_audio']),
        (milan, None, 'drop', ['loss_clip_visual']),
    ):
        pretext = helpers.pretext(mask_mode=mode, visual=visual, audio=audio)
        model = helpers.recognizer(pretext, helpers.backbone(mask_token=mode == 'token'))
        losses = model(**model.data_preprocessor(helpers.batch()), mode='loss')
        sum(losses[name] for name in names).backward()
        for name, parameter in model.pretext.branches.named_parameters():
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
        assert model.backbone.visual.patch_embed.weight.grad.abs().sum() > 0


@pytest.mark.parametrize('decoder', ['TransformerDecoder', 'PromptingDecoder'])
@pytest.mark.parametrize('with_decoder_masker', [False, True])
def test_never_waits_for_the_device(decoder: str, with_decoder_masker: bool) -> None:
    """Tensors without values: whatever asks for one fails."""
    kl = dict(type='EmotionDistributionTarget', granularity='tubelet', axis='time')
    branch = build(
        [dict(type='PixelTarget', frames='first'), dict(type='HOGTarget'), kl],
        decoder=dict(type=decoder, dims=16, depth=2, num_heads=2),
        decoder_masker=dict(type='RunningCellMasker') if with_decoder_masker else None,
    ).to('meta')

    def empty(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.empty(shape, dtype=dtype, device='meta')

    is_masked = empty(6, 36, dtype=torch.bool)
    decoded = branch.decode(empty(6, 8, 12), empty(6, 12), is_masked)
    assert decoded.features.shape == (6, 18 if with_decoder_masker else 36, 16)
    context = RecoveryContext(
        is_masked, empty(6, dtype=torch.bool), empty(2, 3, 6), empty(2, 3, 4, 6)
    )
    inputs = dict(pixels=empty(2, 3, 3, 8, 24, 24, dtype=torch.uint8))
    losses = branch.loss(decoded, inputs, context)
    assert set(losses) == {'loss_patch', 'loss_hog', 'loss_kl'}
    assert all(loss.shape == () for loss in losses.values())


def test_runs_in_mixed_precision(helpers: object) -> None:
    visual = dict(
        masker=dict(type='RandomMasker', ratio=0.6),
        decoder=dict(
            type='TransformerDecoder',
            dims=16,
            depth=2,
            num_heads=2,
            positions='learned',
            class_token='own',
        ),
        targets=[
            dict(type='PixelTarget', norm='per_patch', frames='first'),
            dict(type='HOGTarget'),
            dict(type='EmotionDistributionTarget', granularity='tubelet'),
        ],
    )
    audio = dict(
        masker=dict(type='RandomMasker', ratio=0.6),
        decoder=dict(type='PromptingDecoder', dims=16, depth=1, num_heads=2),
        targets=[dict(type='SSASTTarget')],
    )
    model = helpers.recognizer(helpers.pretext(visual=visual, audio=audio))
    model.pretext.branches.eval()
    data = model.data_preprocessor(helpers.batch())
    torch.manual_seed(1)
    exact = model(**data, mode='loss')
    torch.manual_seed(1)
    with torch.autocast('cpu', torch.bfloat16):
        rough = model(**data, mode='loss')
    for name in ('loss_patch_visual', 'loss_hog_visual', 'loss_nce_audio', 'loss_patch_audio'):
        assert rough[name].dtype == torch.float32
        torch.testing.assert_close(rough[name], exact[name], rtol=0.05, atol=0.02)
    model.parse_losses(rough)[0].backward()
    assert all(p.grad.isfinite().all() for p in model.pretext.branches.parameters())
