"""Every config loads, uses known keys and builds its model."""

import argparse
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mart_mm.apis.run import check_keys, load_config
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.registry import DATASETS, HOOKS, MODELS, TRANSFORMS
from mart_mm.utils.arguments import add_common_arguments

ROOT = Path(__file__).resolve().parents[1]
LEAVES = sorted(
    path
    for path in (ROOT / 'configs').rglob('*.py')
    if '_base_' not in path.parts and '__pycache__' not in path.parts
)


#: what may differ between the splits of a data set
_OWN = ('ann_file', 'split', 'pipeline', 'pretrain_pipeline', 'test_mode')


def test_configs_are_found() -> None:
    assert len(LEAVES) >= 9


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: str(path.relative_to(ROOT / 'configs')))
def test_config_builds(path: Path) -> None:
    cfg = Config.fromfile(path)
    check_keys(cfg)
    init_default_scope(cfg.default_scope)
    for split in ('train', 'val', 'test'):
        for transform in cfg[f'{split}_dataloader'].dataset.pipeline:
            TRANSFORMS.build(transform)
    for hook in cfg.custom_hooks:
        HOOKS.build(hook)
    for stream in ('visual', 'audio'):  # depth and geometry stay; 768 wide would take a minute
        config = cfg.model.backbone[stream]
        config.embed_dims = min(config.embed_dims, 96)
    model = MODELS.build(cfg.model)
    assert isinstance(model, AffectiveRecognizer)
    dataset = cfg.train_dataloader.dataset
    assert model.head.polarity.tolist() == polarity_of(dataset)
    if 'FeatureEncoder' in cfg.model.backbone.type:
        return
    sampler = dataset.pipeline[0]
    visual, audio = (model.backbone.streams[name].input_shape for name in ('visual', 'audio'))
    crop = next(t for t in cfg.train_dataloader.dataset.pipeline if t['type'] == 'CropFrames')
    sound = next(t for t in cfg.train_dataloader.dataset.pipeline if t['type'] == 'LoadLogMel')
    assert visual == (sampler.clip_len, crop.size, crop.size)
    assert audio == (128, sound.num_frames)


def polarity_of(dataset: dict) -> list[int]:
    """What the data set of a config says of its classes."""
    if 'polarity' in dataset:
        return dataset['polarity']
    return DATASETS.get(dataset['type']).preset_metainfo(dataset.get('preset'))['polarity']


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: str(path.relative_to(ROOT / 'configs')))
def test_all_splits_agree(path: Path) -> None:
    """The three data sets of a config differ in the split and in augmentation only."""
    cfg = Config.fromfile(path)
    train, val, test = (
        {k: v for k, v in cfg[f'{s}_dataloader'].dataset.items() if k not in _OWN}
        for s in ('train', 'val', 'test')
    )
    assert train == val == test
    assert cfg.val_dataloader.dataset == cfg.test_dataloader.dataset


@pytest.mark.parametrize('dataset', ['ekman6', 've8', 'perr', 'iemocap', 'affwild2', 'manifest'])
def test_every_data_set_has_mart_and_its_baseline(dataset: str) -> None:
    """The pair differs in the pretext alone, and so does its small child on planted data."""
    folder = ROOT / 'configs'
    mart = Config.fromfile(folder / 'mart' / f'mart_mbt_{dataset}.py')
    base = Config.fromfile(folder / 'supervised' / f'mbt_{dataset}.py')
    assert mart.train_dataloader == base.train_dataloader
    assert mart.test_dataloader == base.test_dataloader
    for part in ('backbone', 'head', 'data_preprocessor', 'temporal_cam'):
        assert mart.model[part] == base.model[part]
    assert 'pretext' in mart.model and 'pretext' not in base.model
    if dataset == 'manifest':
        return
    child = '' if dataset == 'ekman6' else f'{dataset}_'
    small = Config.fromfile(folder / 'mart' / f'mart_mbt_{child}planted.py')
    assert small.train_dataloader.dataset.type == mart.train_dataloader.dataset.type
    assert small.model.head == mart.model.head


def test_cache_is_one_option(tmp_path: Path) -> None:
    arguments = argparse.ArgumentParser()
    add_common_arguments(arguments)
    path = str(ROOT / 'configs' / 'mart' / 'mart_mbt_ekman6.py')
    on = load_config(arguments.parse_args([path]))
    off = load_config(arguments.parse_args([path, '--cfg-options', 'cache=None']))
    for split in ('train', 'val', 'test'):
        assert on[f'{split}_dataloader'].dataset.cache['folder']
        assert off[f'{split}_dataloader'].dataset.cache is None


def test_data_set_folder_is_asked_for(tmp_path: Path) -> None:
    cfg = Config.fromfile(ROOT / 'configs' / 'mart' / 'mart_mbt_ekman6.py')
    cfg.train_dataloader.dataset.data_root = str(tmp_path / 'ekman6')
    cfg.train_dataloader.num_workers, cfg.train_dataloader.persistent_workers = 0, False
    init_default_scope(cfg.default_scope)
    with pytest.raises(FileNotFoundError) as error:
        Runner.build_dataloader(cfg.train_dataloader)
    for part in (str(tmp_path / 'ekman6'), 'trainlist01.txt', 'mart-mm plant --out'):
        assert part in str(error.value)


def test_planted_config_differs_in_sizes_only() -> None:
    """Every component of the full model is there, and of the same type."""

    def types(node: object, where: str = '') -> dict[str, str]:
        found = {}
        if isinstance(node, dict):
            if 'type' in node:
                found[where] = node['type']
            for key, value in node.items():
                found |= types(value, f'{where}.{key}')
        elif isinstance(node, (list, tuple)):
            for index, value in enumerate(node):
                found |= types(value, f'{where}[{index}]')
        return found

    full, small = (
        Config.fromfile(ROOT / 'configs' / 'mart' / f'mart_mbt_{name}.py')
        for name in ('ekman6', 'planted')
    )
    assert types(full.model.to_dict()) == types(small.model.to_dict())
    assert types(full.custom_hooks) == types(small.custom_hooks)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (
            dict(optim_wraper=dict()),
            "unknown config key 'optim_wraper': did you mean 'optim_wrapper'",
        ),
        (
            {'model.pretext.visual.masker.r_mni': 0.1},
            "unknown option of EmotionMasker 'r_mni': did you mean 'r_min'",
        ),
        (
            {'model.pretext.visual.masker.type': 'EmotionMaskr'},
            "unknown model type 'EmotionMaskr': did you mean 'EmotionMasker'",
        ),
    ],
)
def test_misspelt_names_are_answered_with_the_nearest(change: dict, message: str) -> None:
    cfg = Config.fromfile(ROOT / 'configs' / 'mart' / 'mart_mbt_planted.py')
    cfg.merge_from_dict(change)
    init_default_scope(cfg.default_scope)
    with pytest.raises((KeyError, TypeError)) as error:
        check_keys(cfg)
        MODELS.build(cfg.model)
    assert message in str(error.value)
