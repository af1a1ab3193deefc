import pytest
import torch
from torch import Tensor

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.decoders.base import DecodedTokens
from mart_mm.models.targets.base import RecoveryContext, RecoverySpec, RecoveryTarget
from mart_mm.registry import MODELS

VISUAL = StreamSpec((4, 16, 24), (2, 2, 3), (2, 8, 8), (2, 8, 8))  # 12 tokens
AUDIO = StreamSpec((20, 14), (3, 2), (8, 8), (6, 6))  # overlapping: 6 tokens


def build(kind: str, stream: StreamSpec = VISUAL, **kwargs: object) -> RecoveryTarget:
    spec = RecoverySpec(stream, 10, 6)
    return MODELS.build(dict(type=kind, spec=spec, **kwargs))


def video(segments: int = 3) -> Tensor:
    return torch.randint(0, 256, (2, segments, 3, 4, 16, 24)).to(torch.uint8)


@pytest.mark.parametrize('norm', ['per_channel', 'per_patch', None])
@pytest.mark.parametrize('frames', ['all', 'first'])
def test_pixels(norm: str | None, frames: str) -> None:
    target = build('PixelTarget', norm=norm, frames=frames)
    pixels = video()
    pixels[0, 0, :, :, :8, :8] = 99  # a flat patch
    pixels[0, 1] = 99
    pixels[0, 1, 0, :, ::8, ::8] = 100  # all but flat: the epsilons matter
    got = target.patches(dict(pixels=pixels))
    assert got.shape == (6, 12, target.head.out_features) and got.dtype == torch.float32
    for row in range(6):
        clip = pixels[row // 3, row % 3].double() / 255
        for token in range(12):
            t, h, w = token // 6, token // 3 % 2, token % 3
            chosen = [2 * t, 2 * t + 1] if frames == 'all' else [[0, 3][t]]
            patch = clip[:, chosen, 8 * h : 8 * h + 8, 8 * w : 8 * w + 8].flatten(1)  # (3, n)
            if norm == 'per_channel':
                std = patch.std(1, keepdim=True) + 1e-6
                patch = (patch - patch.mean(1, keepdim=True)) / std
            elif norm == 'per_patch':
                patch = (patch - patch.mean()) / (patch.var() + 1e-6).sqrt()
            expected = patch.T.flatten().float()
            torch.testing.assert_close(got[row, token], expected, atol=1e-4, rtol=1e-4)
    if norm:
        assert got[0, 0].abs().max() == 0


def test_golden_numbers_at_112_pixels() -> None:
    stream = StreamSpec((16, 112, 112), (8, 7, 7), (2, 16, 16), (2, 16, 16))
    first = build('PixelTarget', stream, frames='first')
    assert first.frame_index.tolist() == [0, 2, 4, 6, 8, 10, 12, 15]
    assert first.head.out_features == 768
    assert build('PixelTarget', stream).head.out_features == 1536
    assert build('HOGTarget', stream).head.out_features == 108
    assert build('CLIPTarget', stream).head.out_features == 512
    audio = StreamSpec((128, 100), (12, 9), (16, 16), (10, 10))
    assert build('FbankTarget', audio).head.out_features == 256
    for length, steps in (
        (6, 3),
        (9, 3),
        (4, 1),
        (5, 5),
    ):  # a frame of each tubelet, whatever its length
        stream = StreamSpec((length, 16, 16), (steps, 2, 2), (length // steps, 8, 8), (1, 8, 8))
        index = build('PixelTarget', stream, frames='first').frame_index
        assert [int(i) // (length // steps) for i in index] == list(range(steps))


@pytest.mark.parametrize('norm_patch', [False, True])
def test_overlapping_log_mel(norm_patch: bool) -> None:
    target = build('FbankTarget', AUDIO, norm_patch=norm_patch)
    audios = torch.randn(2, 3, 14, 20)  # time first
    got = target.patches(dict(audios=audios))
    assert got.shape == (6, 6, 64)
    for row in range(6):
        picture = audios[row // 3, row % 3].T
        for token in range(6):
            f, t = token // 2, token % 2
            patch = picture[6 * f : 6 * f + 8, 6 * t : 6 * t + 8].flatten()
            if norm_patch:
                patch = (patch - patch.mean()) / (patch.var() + 1e-6).sqrt()
            torch.testing.assert_close(got[row, token], patch)


@pytest.mark.parametrize('kind', ['PixelTarget', 'HOGTarget'])
def test_loss_counts_hidden_tokens_of_present_streams(kind: str) -> None:
    target = build(kind, loss_weight=0.5)
    inputs = dict(pixels=video())
    features = torch.randn(6, 12, 10)
    is_masked = torch.rand(6, 12).argsort(1) < 5
    is_present = torch.tensor([True] * 3 + [False] * 3)
    context = RecoveryContext(is_masked, is_present)
    truth = target.patches(inputs)
    errors = [
        (target.head(features[row, token]) - truth[row, token]).square().mean()
        for row in range(3)
        for token in range(12)
        if is_masked[row, token]
    ]
    expected = 0.5 * torch.stack(errors).mean()
    order = is_masked.int().argsort(dim=1, stable=True)
    shuffled = features.gather(1, order[..., None].expand(-1, -1, 10))
    for decoded in (
        DecodedTokens(features),  # all in order
        DecodedTokens(shuffled, order, 7),  # visible first
        DecodedTokens(shuffled[:, 7:], order[:, 7:]),  # hidden only
    ):
        (loss,) = target.loss(decoded, inputs, context).values()
        torch.testing.assert_close(loss, expected)
    assert set(target.loss(decoded, inputs, context)) == {
        'loss_patch' if kind == 'PixelTarget' else 'loss_hog'
    }
    loss.backward()
    assert target.head.weight.grad.abs().sum() > 0
    # only some are decoded, some of them visible: those that are hidden count
    part = torch.rand(6, 12).argsort(1)[:, :8]
    picked = features.gather(1, part[..., None].expand(-1, -1, 10))
    (loss,) = target.loss(DecodedTokens(picked, part), inputs, context).values()
    errors = [
        (target.head(features[row, token]) - truth[row, token]).square().mean()
        for row in range(3)
        for token in part[row].tolist()
        if is_masked[row, token]
    ]
    torch.testing.assert_close(loss, 0.5 * torch.stack(errors).mean())


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match='norm='):
        build('PixelTarget', norm='layer')
    with pytest.raises(ValueError, match='frames='):
        build('PixelTarget', frames='last')
    for kind in ('PixelTarget', 'HOGTarget', 'CLIPTarget'):
        with pytest.raises(ValueError, match=rf'{kind} recovers frames'):
            build(kind, AUDIO)
