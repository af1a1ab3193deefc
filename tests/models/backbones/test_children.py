"""MART on backbones of mmaction2: children of the main config that change only the backbone."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mart_mm.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[3] / 'configs' / 'mart'
CHILDREN = sorted((CONFIGS / 'backbones').glob('*.py'))


def test_children_change_only_the_backbone() -> None:
    assert len(CHILDREN) >= 4
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
    encoder = [p.grad for p in visual.encoder.parameters() if p.requires_grad]
    assert all(g is not None for g in encoder)
    # the first layer learns; inner ones of a ResNet start behind norms that are zero at first
    assert encoder[0].abs().sum() > 0
    assert all(p.grad is not None for p in model.pretext.parameters())
    samples = model.eval().val_step(batch)
    assert all(s.pred_scores.sum().isclose(torch.tensor(1.0)) for s in samples)
