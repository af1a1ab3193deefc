"""Encoder, decoder, head and loss equal transformers' VideoMAE with the same weights and mask."""

import pytest
import torch
from torch import Tensor

from mart_mm.models.backbones.vit_stream import VideoViT
from mart_mm.models.pretext.recovery_branch import RecoveryBranch
from mart_mm.models.targets.base import RecoveryContext
from mart_mm.models.weights import load_stream

IMAGENET = (
    torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1, 1),
    torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1, 1),
)


def videomae(norm_pix_loss: bool) -> torch.nn.Module:
    from transformers import VideoMAEConfig, VideoMAEForPreTraining

    model = VideoMAEForPreTraining(
        VideoMAEConfig(
            image_size=24,
            patch_size=8,
            num_frames=4,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=128,
            decoder_hidden_size=24,
            decoder_num_hidden_layers=2,
            decoder_num_attention_heads=2,
            decoder_intermediate_size=96,
            use_mean_pooling=False,
            norm_pix_loss=norm_pix_loss,
            layer_norm_eps=1e-6,
        )
    ).eval()
    model.decoder.norm.eps = 1e-6  # as in the authors' code
    for parameter in model.parameters():  # biases and mask token are zero at first
        parameter.data = torch.randn_like(parameter) * 0.2
    return model


def decoder_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Keys of VideoMAE's decoder to those of a branch."""
    ours = {
        'decoder.embed.weight': state['encoder_to_decoder.weight'],
        'decoder.mask_token': state['mask_token'],
        'decoder.norm.weight': state['decoder.norm.weight'],
        'decoder.norm.bias': state['decoder.norm.bias'],
        'targets.0.head.weight': state['decoder.head.weight'],
        'targets.0.head.bias': state['decoder.head.bias'],
    }
    layers = {key.split('.')[2] for key in state if key.startswith('decoder.decoder_layers.')}
    for layer in layers:
        theirs, block = f'decoder.decoder_layers.{layer}', f'decoder.blocks.{layer}'
        attention = f'{theirs}.attention.attention'
        ours[f'{block}.attn.qkv.weight'] = torch.cat(
            [state[f'{attention}.{name}.weight'] for name in ('query', 'key', 'value')]
        )
        ours[f'{block}.attn.q_bias'] = state[f'{attention}.query.bias']
        ours[f'{block}.attn.v_bias'] = state[f'{attention}.value.bias']
        for a, b in (
            ('attention.output.dense', 'attn.proj'),
            ('intermediate.dense', 'mlp.0'),
            ('output.dense', 'mlp.2'),
            ('layernorm_before', 'norm1'),
            ('layernorm_after', 'norm2'),
        ):
            for kind in ('weight', 'bias'):
                ours[f'{block}.{b}.{kind}'] = state[f'{theirs}.{a}.{kind}']
    return ours


@pytest.mark.parametrize('norm', ['per_channel', None])
def test_predictions_and_loss(norm: str | None) -> None:
    theirs = videomae(norm_pix_loss=norm is not None)
    state = theirs.state_dict()
    stream = VideoViT(
        img_size=24,
        num_frames=4,
        patch_size=8,
        embed_dims=32,
        depth=2,
        num_heads=4,
        cls_token=False,
    ).eval()
    load_stream(stream, state, source='transformers')
    branch = RecoveryBranch(
        masker=dict(type='TubeMasker'),
        decoder=dict(type='TransformerDecoder', dims=24, depth=2, num_heads=2, embed_bias=False),
        targets=[dict(type='PixelTarget', norm=norm, loss_weight=1.0)],
        stream=stream.spec,
        in_dims=32,
        num_classes=6,
        is_dropped=True,
        with_mask_token=True,
    ).eval()
    branch.load_state_dict(decoder_state(state))

    pixels = torch.randint(0, 256, (5, 3, 4, 24, 24)).to(torch.uint8)
    is_masked = torch.rand(5, 18).argsort(1) < 14
    mean, std = IMAGENET
    frames = (pixels.float() / 255 - mean) / std
    with torch.no_grad():
        expected = theirs(frames.transpose(1, 2), bool_masked_pos=is_masked)
        encoded = stream(frames, is_masked=is_masked)
        decoded = branch.decode(encoded.tokens, encoded.embed, is_masked)
        assert decoded.features.shape == (5, 14, 24)  # nothing but hidden tokens
        predicted = branch.targets[0].predict(decoded)
        losses = branch.loss(
            decoded,
            dict(pixels=pixels[None]),
            RecoveryContext(is_masked, torch.ones(5, dtype=torch.bool)),
        )
    torch.testing.assert_close(predicted, expected.logits, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(losses['loss_patch'], expected.loss, rtol=1e-5, atol=1e-5)
    assert predicted.std() > 0.1
