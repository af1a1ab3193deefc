import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.decoders.base import DecodedTokens
from mart_mm.models.targets.base import RecoveryContext, RecoverySpec
from mart_mm.models.targets.clip import CLIPTarget

STREAM = StreamSpec((4, 16, 16), (2, 2, 2), (2, 8, 8), (2, 8, 8))
CONFIG = dict(
    hidden_size=24,
    intermediate_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    image_size=32,
    patch_size=8,
    projection_dim=12,
    initializer_factor=4.0,
)


def build(**kwargs: object) -> CLIPTarget:
    return CLIPTarget(RecoverySpec(STREAM, 10, 6), clip=dict(config=CONFIG, dims=12), **kwargs)


def by_transformers(target: CLIPTarget, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Features of tokens (BS, 8, 12) and of segments (BS, 12), frame by frame."""
    model = target.clip._model
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    tokens, segments = [], []
    for clip in pixels.flatten(0, 1):
        own, classes = [], []
        for frame in (clip[:, 0], clip[:, 2]):
            large = F.interpolate(
                frame[None] / 255, size=(32, 32), mode='bicubic', antialias=True
            ).clamp(0, 1)
            out = model(pixel_values=(large - mean) / std)
            states = model.vision_model.post_layernorm(out.last_hidden_state)
            patches = model.visual_projection(states)[0, 1:].view(4, 4, 12)
            for h in range(2):
                for w in range(2):
                    own.append(patches[2 * h : 2 * h + 2, 2 * w : 2 * w + 2].mean((0, 1)))
            classes.append(out.image_embeds[0])
        tokens.append(torch.stack(own))
        segments.append(torch.stack(classes).mean(0))
    return torch.stack(tokens), torch.stack(segments)


@pytest.mark.parametrize('all_tokens', [False, True])
@torch.no_grad()
def test_equals_transformers(all_tokens: bool) -> None:
    target = build(all_tokens=all_tokens, loss_weight=3.0)
    pixels = torch.randint(0, 256, (2, 2, 3, 4, 16, 16)).to(torch.uint8)
    got, whole = target.features(dict(pixels=pixels))
    tokens, segments = by_transformers(target, pixels.float())
    torch.testing.assert_close(got, tokens, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(whole, segments, atol=1e-4, rtol=1e-4)

    features, embed = torch.randn(4, 8, 10), torch.randn(4, 10)
    is_masked = torch.rand(4, 8).argsort(1) < 5
    is_present = torch.tensor([True, True, False, False])
    order = is_masked.int().argsort(dim=1, stable=True)
    shuffled = features.gather(1, order[..., None].expand(-1, -1, 10))
    losses = target.loss(
        DecodedTokens(shuffled, order, 3, embed),
        dict(pixels=pixels),
        RecoveryContext(is_masked, is_present),
    )
    distances = []
    for row in range(2):
        for token in range(8):
            if all_tokens or is_masked[row, token]:
                a, b = target.head(features[row, token]), tokens[row, token]
                distances.append((a / a.norm() - b / b.norm()).square().sum())
        if all_tokens:
            a, b = target.head(embed[row]), segments[row]
            distances.append(2 - 2 * a @ b / a.norm() / b.norm())
    assert len(distances) == (18 if all_tokens else 10)
    expected = 3 * torch.stack(distances).mean()
    torch.testing.assert_close(losses['loss_clip'], expected, atol=1e-4, rtol=1e-4)
    assert target.reads_visible == all_tokens


def test_clip_is_not_trained_and_the_head_is() -> None:
    target = build()
    pixels = torch.randint(0, 256, (1, 2, 3, 4, 16, 16)).to(torch.uint8)
    context = RecoveryContext(torch.ones(2, 8).bool(), torch.ones(2).bool())
    features = torch.randn(2, 8, 10, requires_grad=True)
    target.loss(DecodedTokens(features), dict(pixels=pixels), context)['loss_clip'].backward()
    assert features.grad.abs().sum() > 0
    assert {name for name, _ in target.named_parameters()} == {'head.weight', 'head.bias'}
    assert set(target.state_dict()) == {'head.weight', 'head.bias'}
    assert all(p.grad is None for p in target.clip._model.parameters())
    # a perfect prediction costs nothing, its opposite most
    truth = target.target(dict(pixels=pixels), context)
    target.head = torch.nn.Identity()
    for sign, expected in ((5.0, 0.0), (-0.1, 4.0)):
        got = target.loss(DecodedTokens(sign * truth), dict(pixels=pixels), context)
        assert got['loss_clip'].item() == pytest.approx(expected, abs=1e-4)
