"""A config's recogniser with weights that are not trained on, for feature extraction and probes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmengine.runner.utils import set_random_seed
from torch import Tensor

from mart_mm.apis.run import check_keys, share_cache
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.models.weights import LoadReport, WeightsError, read_state
from mart_mm.registry import MODELS

#: in place of a checkpoint
RANDOM_INIT, PRETRAINED_INIT = 'random init', 'pretrained init'
#: parts of the recogniser that features depend on
PARTS = ('backbone', 'data_preprocessor')
#: stands for hidden tokens only, and nothing is hidden here
_MASK_TOKEN = 'mask_token'
_SHOWN = 8


def frozen_recognizer(cfg: Config, weights: str) -> AffectiveRecognizer:
    """Build a config's recogniser without its pretext, in evaluation mode, on the device there is.

    Args:
        cfg: The config.
        weights: A checkpoint of any stage; or :data:`RANDOM_INIT`: random weights of the config's
            seed, those that training would start from if no part of the backbone were pretrained; or
            :data:`PRETRAINED_INIT`: those of the files that ``pretrained`` names in the backbone,
            the rest random.

    Raises:
        FileNotFoundError: When there is no such checkpoint.
        ValueError: When the config has no seed for random weights, or no pretrained files.
        WeightsError: When the checkpoint does not fit.
    """
    init_default_scope(cfg.get('default_scope', 'mart_mm'))
    model = cfg.to_dict()['model'] | dict(pretext=None)  # only pretraining needs its teachers
    if weights in (RANDOM_INIT, PRETRAINED_INIT):
        recognizer = _initial(cfg, model, weights)
    else:
        recognizer = MODELS.build(model)
        load_frozen(recognizer, weights)
    # as in the finetuning stage
    recognizer.data_preprocessor.encode_cues = False
    return recognizer.requires_grad_(False).eval().to(get_device())


def _initial(cfg: Config, model: dict, weights: str) -> AffectiveRecognizer:
    seed = (cfg.get('randomness') or {}).get('seed')
    if seed is None:
        raise ValueError(
            f'{cfg.filename}: random weights need a seed: --cfg-options randomness.seed=0'
        )
    files = _pretrained_files(model['backbone'], is_dropped=weights == RANDOM_INIT)
    if weights == RANDOM_INIT:
        unused = files + [str(cfg.load_from)] * bool(cfg.get('load_from'))
        if unused:
            print_log(f'{weights}: not loaded: {", ".join(unused)}', logger='current')
    elif not files:
        raise ValueError(
            f'{cfg.filename}: no part of model.backbone has pretrained weights: set '
            'model.backbone.visual.pretrained, or take random weights'
        )
    set_random_seed(seed)
    recognizer = MODELS.build(model)
    recognizer._dump_init_info = lambda: None  # MMEngine logs three lines per parameter
    recognizer.init_weights()
    return recognizer


def _pretrained_files(node: object, *, is_dropped: bool) -> list[str]:
    """Files that parts of a model start from; taken out of its config where ``is_dropped``."""
    found = []
    if isinstance(node, dict):
        for key, value in node.items():
            is_file = key == 'pretrained' and isinstance(value, str)
            is_init = (
                key == 'init_cfg' and isinstance(value, dict) and value.get('type') == 'Pretrained'
            )
            if not (is_file or is_init):
                found += _pretrained_files(value, is_dropped=is_dropped)
                continue
            found.append(value if is_file else str(value.get('checkpoint')))
            if is_dropped:
                node[key] = None
    elif isinstance(node, (list, tuple)):
        for value in node:
            found += _pretrained_files(value, is_dropped=is_dropped)
    return found


def load_frozen(recognizer: AffectiveRecognizer, checkpoint: str | Path) -> LoadReport:
    """Load the backbone of a checkpoint, and refuse to leave any of its layers as they were.

    It may be of another row of the tables, as long as the backbone is the same one; heads and
    pretexts are left out. Mask tokens take no part in an unmasked pass: they may be missing or left
    over.

    Args:
        recognizer: Is filled.
        checkpoint: Written by training, at the end of any stage.

    Returns:
        Our parameters that were loaded and that the file does not have, and the file's unused keys.

    Raises:
        FileNotFoundError: When there is no such file.
        WeightsError: When it is no checkpoint, or listing what is missing, left over or of another
            shape.
    """
    state = read_state(checkpoint)
    ours, theirs = _parts(recognizer.state_dict()), _parts(state)
    if not any(key.startswith('backbone.') for key in theirs):
        raise WeightsError(
            f'{checkpoint} holds no weights of a backbone: its keys are of {_roots(state)}. Give a '
            'checkpoint that tools/train.py wrote'
        )
    missing = [key for key in ours if key not in theirs]
    unexpected = [key for key in theirs if key not in ours]
    shapes = [
        f'{key}: {tuple(theirs[key].shape)} in the file, {tuple(value.shape)} here'
        for key, value in ours.items()
        if key in theirs and theirs[key].shape != value.shape
    ]
    faults = [
        f'{what} {keys[:_SHOWN]} ({len(keys)})'
        for what, keys in (
            ('missing in the file', _but_mask_tokens(missing)),
            ('no place here for', _but_mask_tokens(unexpected)),
            ('other shapes', shapes),
        )
        if keys
    ]
    if faults:
        raise WeightsError(
            f'{checkpoint} does not fit {type(recognizer.backbone).__name__}: {"; ".join(faults)}. '
            'Give a config with the backbone that the checkpoint was trained with'
        )
    loaded = {key: value for key, value in theirs.items() if key in ours}
    recognizer.load_state_dict(loaded, strict=False)
    unused = [key for key in state if key not in loaded]
    print_log(
        f'{checkpoint}: {len(loaded)} tensors of the backbone loaded, not in the file: {missing}, '
        f'not used: {_roots({key: state[key] for key in unused}) or "none"}',
        logger='current',
    )
    return LoadReport(list(loaded), missing, unused)


def _parts(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if key.split('.')[0] in PARTS}


def _but_mask_tokens(keys: list[str]) -> list[str]:
    return [key for key in keys if key.split('.')[-1] != _MASK_TOKEN]


def _roots(state: dict[str, Tensor]) -> str:
    counts = Counter(key.split('.')[0] for key in state)
    return ', '.join(f'{name} ({count})' for name, count in counts.most_common(_SHOWN))


def read_config(path: str | Path, options: dict | None = None, data: str | None = None) -> Config:
    """Read a config for features of its splits.

    Args:
        path: The file.
        options: Overrides of its fields.
        data: ``data_root`` of its data sets, in place of its own.

    Raises:
        KeyError: For a top-level key that nothing reads.
    """
    cfg = Config.fromfile(path)
    cfg.merge_from_dict(options or {})
    check_keys(cfg)
    share_cache(cfg)
    for split in ('train', 'test'):
        if data and cfg.get(f'{split}_dataloader'):
            cfg[f'{split}_dataloader'].dataset.data_root = str(data)
    return cfg
