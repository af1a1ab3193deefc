"""MART on backbones of mmaction2: children of the main config that change only the backbone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from mart_mm.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[3] / 'configs' / 'mart'
CHILDREN = sorted((CONFIGS / 'backbones').glob('*.py'))


#: a network of each family that a backbone may come from
FAMILIES = {
    'frames on their own': {'mmaction.ResNet'},
    'frames that share channels': {'mmaction.ResNetTSM'},
    '3-D convolutions': {
        'mmaction.ResNet3d',
        'mmaction.ResNet3dSlowOnly',
        'mmaction.X3D',
        'ResNet2Plus1d',
    },
    'hierarchical transformers': {
        'mmaction.SwinTransformer3D',
        'mmaction.MViT',
        'mmaction.UniFormer',
    },
    'plain transformers': {'mmaction.VisionTransformer', 'TimeSformerMap'},
}


def test_every_family_is_there() -> None:
    encoders = {Config.fromfile(path).model.backbone.visual.encoder.type for path in CHILDREN}
    for family, types in FAMILIES.items():
        assert types <= encoders, family


def test_children_change_only_the_backbone() -> None:
    assert len(CHILDREN) >= 12
    parent = Config.fromfile(CONFIGS / 'mart_mbt_planted.py').to_dict()
    for path in CHILDREN:
        child = Config.fromfile(path).to_dict()
        assert child['model'].pop('backbone') != parent['model']['backbone']
        rest = {**parent, 'model': {k: v for k, v in parent['model'].items() if k != 'backbone'}}
        assert child == rest


@pytest.mark.parametrize('path', CHILDREN, ids=lambda path: path.stem)
def test_child_learns_and_predicts(helpers: object, path: Path) -> None:
    cfg = Config.fromfile(path)
    init_default_scope(cfg.default_scope)
    model = MODELS.build(cfg.model)
    model.init_weights()
    batch = helpers.batch(num_segments=2, size=48, frames=4, mel_frames=80)
    # the config's cues are 64 wide, whatever the words
    model.pretext.mask_progress, model.pretext.verify_level = 1.0, 0
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    total, _ = model.parse_losses(losses)
    total.backward()
    grid = model.backbone.visual.spec
    masked = model.pretext.branches['visual'].masker.counts(grid.num_tokens, 1.0)[0]
    assert masked == -(-grid.num_tokens // 2)
    visual = model.backbone.visual
    assert visual.mask_token.grad.abs().sum() > 0
    assert all(p.grad is not None for p in visual.encoder.parameters() if p.requires_grad)
    # the first layer learns; inner ones of a ResNet start behind norms that are zero at first
    first = next(m for m in visual.encoder.modules() if isinstance(m, (nn.Conv2d, nn.Conv3d)))
    assert first.in_channels == 3
    assert first.weight.grad.abs().sum() > 0
    assert all(p.grad is not None for p in model.pretext.parameters())
    samples = model.eval().val_step(batch)
    assert all(s.pred_scores.sum().isclose(torch.tensor(1.0)) for s in samples)


def frame_stream(kind: str, **options: object) -> nn.Module:
    """A stream over four frames from an encoder of pictures."""
    return MODELS.build(
        dict(
            type='FeatureMapStream',
            encoder=dict(type=f'mmaction.{kind}', depth=18, **options),
            input_shape=(4, 48, 48),
            embed_dims=16,
            layout='2d',
        )
    ).eval()


@torch.no_grad()
def test_frames_fold_into_the_batch() -> None:
    """TSN sees one frame at a time; TSM passes channels on to the neighbours, and to no other clip."""
    clips = torch.randn(2, 3, 4, 48, 48)
    changed = clips.clone()
    changed[0, :, 1] += 1
    for kind, options, reached in (
        ('ResNet', {}, [1]),
        # two shifts in each of four layers, eight in all: the whole clip
        ('ResNetTSM', dict(num_segments=4, pretrained2d=False), [0, 1, 2, 3]),
    ):
        stream = frame_stream(kind, **options)
        grid = stream.spec.grid
        assert grid == (4, 2, 2)
        difference = stream(changed).tokens - stream(clips).tokens
        moved = difference.abs().amax(-1).unflatten(1, grid).amax((2, 3)) > 1e-6  # (2, 4)
        assert moved[0].nonzero()[:, 0].tolist() == reached
        assert not moved[1].any()


def test_wrong_number_of_frames_is_refused() -> None:
    with pytest.raises(ValueError, match='set encoder.num_segments=4'):
        frame_stream('ResNetTSM', num_segments=2, pretrained2d=False)


@torch.no_grad()
@pytest.mark.parametrize('attention_type', ['divided_space_time', 'joint_space_time'])
def test_timesformer_map_is_where_the_patches_are(attention_type: str) -> None:
    """With blocks that add nothing, a change of one patch shows in its cell alone."""
    network = MODELS.build(
        dict(
            type='TimeSformerMap',
            img_size=24,
            num_frames=3,
            patch_size=8,
            embed_dims=16,
            depth=2,
            num_heads=2,
            attention_type=attention_type,
        )
    ).eval()
    frames = torch.randn(2, 3, 3, 24, 24)
    classes = network.timesformer(frames)
    outputs = []
    network.timesformer.norm.register_forward_hook(lambda *args: outputs.append(args[-1]))
    assert network(frames).shape == (2, 16, 3, 3, 3)
    assert torch.equal(outputs[0][:, 0], classes)

    for parameter in network.timesformer.transformer_layers.parameters():
        parameter.zero_()
    changed = frames.clone()
    changed[1, :, 2, 8:16, 16:24] += 1
    moved = (network(changed) - network(frames)).abs().amax(1) > 1e-6  # (2, T, h, w)
    assert moved.nonzero().tolist() == [[1, 2, 1, 2]]


def test_timesformer_map_refuses_what_has_no_map() -> None:
    for options, message in (
        (dict(attention_type='space_only'), 'divided_space_time'),
        (dict(img_size=50), 'multiple of patch_size'),
    ):
        with pytest.raises(ValueError, match=message):
            MODELS.build(dict(type='TimeSformerMap', **options))
