import pytest
import torch
from torch.nn import functional as F

from mart_mm.models.backbones.mbt import MBT
from mart_mm.models.backbones.vit_stream import AudioSpectrogramTransformer, VideoViT
from mart_mm.models.layers.token_masking import restore_order, visible_indices
from mart_mm.models.layers.transformer import Attention
from mart_mm.registry import MODELS


def build(helpers: object, **kwargs: object) -> MBT:
    return MODELS.build(helpers.backbone(**kwargs)).eval()


def inputs(num_videos: int = 2, num_segments: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    return (
        torch.randn(num_videos, num_segments, 3, 4, 24, 24),
        torch.randn(num_videos, num_segments, 32, 128),
    )


def test_golden_token_counts_at_112_px() -> None:
    visual = VideoViT(embed_dims=12, depth=1, num_heads=1)
    audio = AudioSpectrogramTransformer(embed_dims=12, depth=1, num_heads=1)
    assert visual.spec.grid == (8, 7, 7)
    assert visual.embed(torch.randn(1, 3, 16, 112, 112), None, 'drop').shape[1] == 392 + 1
    assert audio.spec.grid == (12, 9)
    assert audio.embed(torch.randn(1, 100, 128), None, 'drop').shape[1] == 108 + 2
    mbt = MBT(
        visual=dict(type='VideoViT', embed_dims=12, depth=9, num_heads=1),
        audio=dict(type='AudioSpectrogramTransformer', embed_dims=12, depth=9, num_heads=1),
    )
    assert mbt.bottleneck.shape == (1, 32, 12)


def test_attention_rows_equal_explicit_softmax() -> None:
    module = Attention(8, num_heads=2)
    torch.nn.init.normal_(module.q_bias)
    x = torch.randn(2, 5, 8)
    out, rows = module(x, attention_rows=2)
    q, k, v = F.linear(x, module.qkv.weight).chunk(3, -1)
    q, v = q + module.q_bias, v + module.v_bias
    expected_rows, heads = torch.zeros(2, 2, 5), []
    for head in range(2):
        part = slice(head * 4, head * 4 + 4)
        weights = (q[..., part] @ k[..., part].transpose(1, 2) / 2).softmax(-1)
        expected_rows += weights[:, :2] / 2
        heads.append(weights @ v[..., part])
    torch.testing.assert_close(out, module.proj(torch.cat(heads, -1)))
    torch.testing.assert_close(rows, expected_rows)


@torch.no_grad()
def test_mbt_equals_plain_bottleneck_fusion(helpers: object) -> None:
    model = build(helpers)
    imgs, audios = inputs()
    got = model(imgs, audios)
    for video in range(2):
        for segment in range(3):
            v = model.visual.embed(imgs[video, segment][None], None, 'drop')
            a = model.audio.embed(audios[video, segment][None], None, 'drop')
            v, a = model.visual.blocks[0](v)[0], model.audio.blocks[0](a)[0]
            z = model.bottleneck
            v = model.visual.blocks[1](torch.cat([v, z], 1))[0][:, :-2]
            a = model.audio.blocks[1](torch.cat([a, z], 1))[0][:, :-2]
            v, a = model.visual.norm(v), model.audio.norm(a)
            row = video * 3 + segment  # (B, S) folded in that order
            torch.testing.assert_close(got.visual_embed[row], v[0, 0], atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(got.audio_embed[row], a[0, :2].mean(0), atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(got.visual_tokens[row], v[0, 1:], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_absent_stream_takes_part_in_no_fusion(helpers: object) -> None:
    config = helpers.backbone()
    for stream in ('visual', 'audio'):
        config[stream]['depth'] = 4
    model = MODELS.build(config).eval()
    imgs, audios = inputs()
    present = dict(visual=torch.tensor([True, True]), audio=torch.tensor([True, False]))
    first = model(imgs, audios, present=present)
    second = model(imgs, audios + 100 * torch.randn_like(audios), present=present)
    lone = slice(3, 6)
    torch.testing.assert_close(first.visual_embed[lone], second.visual_embed[lone])
    assert (first.visual_embed[:3] - second.visual_embed[:3]).abs().max() > 1e-3


@torch.no_grad()
def test_dropped_tokens_have_no_influence_and_keep_their_order(helpers: object) -> None:
    model = build(helpers)
    imgs, audios = inputs(1, 1)
    is_masked = torch.zeros(1, 18, dtype=torch.bool)
    is_masked[0, [0, 4, 17]] = True
    output = model(imgs, audios, visual_is_masked=is_masked)
    assert output.visual_tokens.shape[1] == 15
    changed = imgs.clone()
    changed[0, 0, :, :2, :8, :8] = 9.0  # token 0
    changed[0, 0, :, :2, 8:16, 8:16] = 9.0  # token 4
    same = model(changed, audios, visual_is_masked=is_masked)
    torch.testing.assert_close(output.visual_tokens, same.visual_tokens)
    assert visible_indices(is_masked)[0].tolist() == [i for i in range(18) if i not in (0, 4, 17)]
    full = restore_order(output.visual_tokens, is_masked, torch.full((1, 1, 32), 7.0))
    assert (full[0, [0, 4, 17]] == 7).all()
    torch.testing.assert_close(full[0, 1], output.visual_tokens[0, 0])


@torch.no_grad()
def test_mask_tokens_hide_the_content(helpers: object) -> None:
    model = build(helpers, mask_token=True)
    imgs, audios = inputs(1, 1)
    is_masked = torch.zeros(1, 18, dtype=torch.bool)
    is_masked[0, 4] = True
    changed = imgs.clone()
    changed[0, 0, :, :2, 8:16, 8:16] = 9.0
    outputs = [
        model(x, audios, visual_is_masked=is_masked, mask_mode='token') for x in (imgs, changed)
    ]
    torch.testing.assert_close(outputs[0].visual_tokens, outputs[1].visual_tokens)
    assert outputs[0].visual_tokens.shape[1] == 18


def test_refusals(helpers: object) -> None:
    model = build(helpers)
    imgs, audios = inputs(1, 2)
    uneven = torch.zeros(2, 18, dtype=torch.bool)
    uneven[0, 0] = True
    with pytest.raises(ValueError, match='same number of masked tokens'):
        model(imgs, audios, visual_is_masked=uneven)
    with pytest.raises(ValueError, match='mask_token=True'):
        model(imgs, audios, visual_is_masked=uneven, mask_mode='token')
    with pytest.raises(ValueError, match='do not fit a VideoViT'):
        model(imgs[..., :16], audios)
    with pytest.raises(ValueError, match='block by block'):
        config = helpers.backbone()
        config['audio']['depth'] = 3
        MODELS.build(config)


def test_frozen_stages_get_no_gradient(helpers: object) -> None:
    config = helpers.backbone()
    config['audio']['frozen_stages'] = 1
    model = MODELS.build(config)
    output = model(*inputs())
    (output.visual_embed.sum() + output.audio_embed.square().sum()).backward()
    assert all(p.grad is None for p in model.audio.blocks[0].parameters())
    assert model.audio.patch_embed.weight.grad is None
    assert model.audio.blocks[1].attn.qkv.weight.grad.abs().sum() > 0


@torch.no_grad()
def test_feature_map_stream_masks_after_the_encoder() -> None:
    stream = MODELS.build(
        dict(
            type='TwoStreamBackbone',
            visual=dict(
                type='FeatureMapStream',
                encoder=dict(type='mmpretrain.ResNet', depth=18, out_indices=(3,)),
                input_shape=(2, 64, 64),
                layout='2d',
                embed_dims=32,
            ),
            audio=dict(
                type='AudioSpectrogramTransformer', num_frames=32, stride=16, embed_dims=32, depth=1,
                num_heads=4,
            ),
        )
    ).eval()  # fmt: skip
    assert stream.visual.spec.grid == (2, 2, 2)
    assert stream.visual.spec.patch == (1, 32, 32)
    assert not stream.visual.can_drop
    imgs, audios = torch.randn(1, 2, 3, 2, 64, 64), torch.randn(1, 2, 32, 128)
    is_masked = torch.zeros(2, 8, dtype=torch.bool)
    is_masked[:, 3] = True
    plain = stream(imgs, audios, return_attention=True)
    masked = stream(imgs, audios, visual_is_masked=is_masked)
    assert plain.visual_attention.sum(1).allclose(torch.ones(2))
    differs = (plain.visual_tokens - masked.visual_tokens).abs().amax(-1) > 1e-4
    assert torch.equal(differs, is_masked)
