import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.layers.frozen_clip import FrozenCLIP, first_frames, pool_to_grid

TINY = dict(
    hidden_size=32,
    intermediate_size=64,
    num_hidden_layers=3,
    num_attention_heads=4,
    image_size=32,
    patch_size=8,
    projection_dim=16,
    initializer_factor=6.0,  # far from uniform attention
)


def tiny_clip(**kwargs: object) -> FrozenCLIP:
    return FrozenCLIP(**(dict(config=TINY, dims=16) | kwargs))


def test_equals_transformers_in_one_pass() -> None:
    clip = tiny_clip()
    pictures = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    found = clip(pictures)
    model = clip._model
    model.set_attn_implementation('eager')
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    out = model(pixel_values=(pictures / 255 - mean) / std, output_attentions=True)
    torch.testing.assert_close(found.features[:, 0], out.image_embeds, rtol=1e-4, atol=1e-4)
    states = model.vision_model.post_layernorm(out.last_hidden_state)
    torch.testing.assert_close(
        found.features, states @ model.visual_projection.weight.T, rtol=1e-4, atol=1e-4
    )
    expected = out.attentions[-1].mean(1)[:, 0, 1:]
    torch.testing.assert_close(found.attention, expected, rtol=1e-4, atol=1e-6)
    assert expected.std() > 1e-3  # something to tell apart
    assert found.grid == (4, 4) and found.features.shape == (3, 17, 16)
    assert not found.features.requires_grad


def test_resizes_other_pictures() -> None:
    clip = tiny_clip()
    small = torch.randint(0, 256, (2, 3, 16, 24), dtype=torch.uint8)
    large = F.interpolate(
        small.float(), size=(32, 32), mode='bicubic', antialias=True, align_corners=False
    ).clamp(0, 255)
    torch.testing.assert_close(clip(small), clip(large), rtol=1e-4, atol=1e-4)


def test_stands_outside_the_module_tree() -> None:
    holder = nn.Module()
    holder.clip = tiny_clip()
    holder.clip.load()
    assert not list(holder.parameters()) and not holder.state_dict()
    assert copy.deepcopy(holder).clip is holder.clip
    assert not any(p.requires_grad for p in holder.clip._model.parameters())
    assert not holder.clip._model.training
    assert not any(m._forward_hooks for m in holder.clip._model.modules())


def test_says_what_is_wrong(tmp_path: object) -> None:
    with pytest.raises(ValueError, match=r'set clip\.dims=16'):
        tiny_clip(dims=512).load()
    with pytest.raises(OSError, match=r'clip\.name_or_path'):
        FrozenCLIP(name_or_path=str(tmp_path / 'none')).load()


def test_loads_a_local_folder(tmp_path: object) -> None:
    clip = tiny_clip()
    clip.load()
    clip._model.save_pretrained(tmp_path)
    pictures = torch.randint(0, 256, (1, 3, 32, 32), dtype=torch.uint8)
    loaded = FrozenCLIP(name_or_path=str(tmp_path), dims=16)
    torch.testing.assert_close(loaded(pictures), clip(pictures))


def test_first_frames_and_pooling_keep_places() -> None:
    stream = StreamSpec((8, 6, 6), (4, 2, 3), (2, 3, 2), (2, 3, 2))
    pixels = torch.rand(2, 3, 3, 8, 6, 6)
    frames = first_frames(pixels, stream).view(2, 3, 4, 3, 6, 6)
    for t in range(4):
        assert torch.equal(frames[:, :, t], pixels[:, :, :, 2 * t])
    patches = torch.rand(2 * 3 * 4, 24, 5)  # CLIP grid 4 x 6
    pooled = pool_to_grid(patches, (4, 6), stream)
    assert pooled.shape == (6, 24, 5)
    picture = patches.view(6, 4, 4, 6, 5)
    for token in range(24):
        t, y, x = token // 6, token // 3 % 2, token % 3
        mean = picture[:, t, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].mean((1, 2))
        torch.testing.assert_close(pooled[:, token], mean)
