"""The backbone's own attention and CLIP's."""

import pytest
import torch

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.importance.clip_attention import CLIPAttention
from mart_mm.models.importance.self_attention import SelfAttention
from mart_mm.registry import MODELS

CLIP = dict(
    dims=16,
    config=dict(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=32,
        patch_size=8,
        projection_dim=16,
        initializer_factor=6.0,
    ),
)
STREAM = StreamSpec((8, 48, 48), (4, 2, 2), (2, 24, 24), (2, 24, 24))


def test_self_attention_of_each_stream(helpers: object) -> None:
    backbone = MODELS.build(helpers.backbone())
    imgs, audios = torch.randn(2, 3, 3, 4, 24, 24), torch.randn(2, 3, 32, 128)
    output = backbone(imgs, audios, return_attention=True)
    for name, count in (('visual', 18), ('audio', 16)):
        importance = MODELS.build(dict(type='SelfAttention', stream_name=name))
        assert importance.needs_output and not importance.state_dict()
        scores = importance({}, backbone.streams[name], output)
        assert scores.shape == (6, count) and not scores.requires_grad
        torch.testing.assert_close(scores, getattr(output, f'{name}_attention').detach())


def test_self_attention_says_what_is_missing(helpers: object) -> None:
    backbone = MODELS.build(helpers.backbone())
    output = backbone(torch.randn(1, 1, 3, 4, 24, 24), torch.randn(1, 1, 32, 128))
    importance = SelfAttention(stream_name='visual')
    for missing in (None, output):
        with pytest.raises(ValueError, match='return_attention=True'):
            importance({}, backbone.streams['visual'], missing)
    with pytest.raises(ValueError, match="stream_name='text'"):
        SelfAttention(stream_name='text')


def test_clip_attention_frame_by_frame() -> None:
    importance = MODELS.build(dict(type='CLIPAttention', clip=CLIP))
    assert not importance.needs_output and not importance.state_dict()
    pixels = torch.randint(0, 256, (2, 3, 3, 8, 48, 48), dtype=torch.uint8)
    scores = importance(dict(pixels=pixels), STREAM, None)
    assert scores.shape == (6, 16) and not scores.requires_grad
    for segment in range(6):
        for t in range(4):
            frame = pixels.flatten(0, 1)[segment, :, 2 * t][None]
            attention = importance.clip(frame).attention[0].view(4, 4)
            pooled = attention.view(2, 2, 2, 2).mean((1, 3)).flatten()  # 2 x 2 CLIP patches a token
            torch.testing.assert_close(
                scores[segment, 4 * t : 4 * t + 4], pooled, rtol=1e-4, atol=1e-6
            )


def test_clip_attention_refuses_sound() -> None:
    sound = StreamSpec((128, 100), (12, 9), (16, 16), (10, 10))
    with pytest.raises(ValueError, match='visual stream'):
        CLIPAttention(clip=CLIP)(dict(pixels=torch.zeros(1, 1, 3, 8, 48, 48)), sound, None)
