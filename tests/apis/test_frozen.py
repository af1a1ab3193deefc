"""Weights of a frozen backbone: what a training run would start from, and what a checkpoint holds."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.runner import Runner

from mart_mm.apis.frozen import PRETRAINED_INIT, RANDOM_INIT, frozen_recognizer, read_config
from mart_mm.models.weights import WeightsError


@pytest.fixture(scope='module')
def state(feature_config: Path) -> dict[str, torch.Tensor]:
    """Of a recogniser with other weights than the config's seed gives."""
    cfg = read_config(feature_config, {'randomness.seed': 7})
    return frozen_recognizer(cfg, RANDOM_INIT).state_dict()


def test_random_init_is_where_training_starts(feature_config: Path, tmp_path: Path) -> None:
    cfg = read_config(feature_config, {'randomness.seed': 3, 'load_from': 'of/no/concern.pth'})
    frozen = frozen_recognizer(cfg, RANDOM_INIT)
    cfg = read_config(feature_config, {'randomness.seed': 3, 'work_dir': str(tmp_path)})
    runner = Runner.from_cfg(cfg)
    runner._init_model_weights()
    expected = runner.model.backbone.state_dict()
    assert set(frozen.backbone.state_dict()) == set(expected)
    for key, value in frozen.backbone.state_dict().items():
        assert torch.equal(value.cpu(), expected[key].cpu()), key
    assert not frozen.training and not any(p.requires_grad for p in frozen.parameters())
    other = frozen_recognizer(read_config(feature_config, {'randomness.seed': 4}), RANDOM_INIT)
    name = 'visual.blocks.0.mlp.0.weight'
    assert not torch.equal(other.backbone.state_dict()[name].cpu(), expected[name].cpu())


def test_random_init_without_seed_is_refused(feature_config: Path) -> None:
    cfg = read_config(feature_config, {'randomness.seed': None})
    with pytest.raises(ValueError, match='randomness.seed=0'):
        frozen_recognizer(cfg, RANDOM_INIT)


def test_checkpoint_of_another_row(
    feature_config: Path, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    """With a pretext's weights and mask tokens, as of a row that masks."""
    extra = {
        'pretext.decoder.weight': torch.ones(2),
        'backbone.visual.mask_token': torch.ones(1, 1, 16),
    }
    path = tmp_path / 'pretrained.pth'
    torch.save(dict(state_dict=state | extra, meta={}), path)
    frozen = frozen_recognizer(read_config(feature_config), str(path))
    for key, value in frozen.backbone.state_dict().items():
        assert torch.equal(value.cpu(), state[f'backbone.{key}'].cpu()), key


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda s: s.pop('backbone.bottleneck'), r"missing in the file \['backbone.bottleneck'\]"),
        (
            lambda s: s.update({'backbone.visual.blocks.2.norm1.bias': torch.zeros(16)}),
            r"no place here for \['backbone.visual.blocks.2.norm1.bias'\]",
        ),
        (
            lambda s: s.update({'backbone.bottleneck': torch.zeros(1, 1, 3)}),
            r'other shapes .*\(1, 1, 3\) in the file',
        ),
        (
            lambda s: [s.pop(k) for k in list(s) if k.startswith('backbone')],
            r'no weights of a backbone: its keys are of head \(4\)',
        ),
    ],
    ids=['missing', 'left over', 'shape', 'no backbone'],
)
def test_checkpoint_that_does_not_fit(
    feature_config: Path, state: dict, tmp_path: Path, change: object, message: str
) -> None:
    changed = dict(state)
    change(changed)
    torch.save(dict(state_dict=changed), tmp_path / 'odd.pth')
    with pytest.raises(WeightsError, match=message):
        frozen_recognizer(read_config(feature_config), str(tmp_path / 'odd.pth'))


def test_broken_checkpoint_is_named(feature_config: Path, tmp_path: Path) -> None:
    (tmp_path / 'cut.pth').write_bytes(b'PK\x03\x04 and no more')
    with pytest.raises(WeightsError, match=r'cut\.pth is damaged or not whole'):
        frozen_recognizer(read_config(feature_config), str(tmp_path / 'cut.pth'))
    with pytest.raises(FileNotFoundError, match='none.pth'):
        frozen_recognizer(read_config(feature_config), str(tmp_path / 'none.pth'))


def test_pretrained_init_alone_reads_pretrained_files(
    feature_config: Path, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    stem = 'backbone.visual.'
    visual = {key[len(stem) :]: value for key, value in state.items() if key.startswith(stem)}
    torch.save(visual, tmp_path / 'visual.pth')
    options = {'model.backbone.visual.pretrained': str(tmp_path / 'visual.pth')}
    cfg = read_config(feature_config, options)
    found = frozen_recognizer(cfg, PRETRAINED_INIT).backbone.state_dict()
    name = 'blocks.0.mlp.0.weight'
    assert torch.equal(found[f'visual.{name}'].cpu(), visual[name].cpu())
    assert not torch.equal(found[f'audio.{name}'].cpu(), state[f'backbone.audio.{name}'].cpu())

    (tmp_path / 'visual.pth').unlink()
    random = frozen_recognizer(cfg, RANDOM_INIT).backbone.state_dict()
    plain = frozen_recognizer(read_config(feature_config), RANDOM_INIT).backbone.state_dict()
    assert all(torch.equal(value, plain[key]) for key, value in random.items())
    with pytest.raises(ValueError, match='no part of model.backbone has pretrained weights'):
        frozen_recognizer(read_config(feature_config), PRETRAINED_INIT)
