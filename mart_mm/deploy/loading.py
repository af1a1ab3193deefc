"""The recogniser that is exported: config, weights, and what they are called."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mart_mm.apis.frozen import RANDOM_INIT, frozen_recognizer, read_config
from mart_mm.apis.run import check_keys
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.models.weights import WeightsError, read_state
from mart_mm.registry import MODELS
from mart_mm.version import __version__

_MASK_TOKEN = 'mask_token'  # stands for hidden tokens only, and nothing is hidden here


class LoadedRecognizer(NamedTuple):
    """A recogniser without its pretext, in evaluation mode, on the CPU.

    Attributes:
        recognizer: The model.
        cfg: Its config.
        facts: ``name``, ``checkpoint``, ``sha256`` (first 16 digits) and ``version``, as emotion
            reports have them.
    """

    recognizer: AffectiveRecognizer
    cfg: Config
    facts: dict[str, str]


def load_recognizer(model: str | Path, weights: str | Path | None = None) -> LoadedRecognizer:
    """Build a recogniser and fill it.

    Args:
        model: A config, or a checkpoint that holds its own.
        weights: A checkpoint, or :data:`mart_mm.apis.frozen.RANDOM_INIT`; None where ``model`` is a
            checkpoint.

    Raises:
        FileNotFoundError: When a file is missing.
        ValueError: When a config comes without weights.
        WeightsError: When the checkpoint holds no config, or does not fit.
    """
    model = Path(model)
    if model.suffix == '.py':
        if weights is None:
            raise ValueError(
                f'{model} is a config: give a checkpoint as weights, or {RANDOM_INIT!r}'
            )
        if not model.is_file():
            raise FileNotFoundError(f'config {model} does not exist')
        cfg, name = read_config(model), model.stem
    else:
        cfg = checkpoint_config(model)
        weights, name = model if weights is None else weights, Path(cfg.get('work_dir', model)).stem
    if str(weights) == RANDOM_INIT:
        recognizer, digest = frozen_recognizer(cfg, RANDOM_INIT).cpu(), ''
    else:
        recognizer, digest = _from_checkpoint(cfg, Path(weights)), _sha256(Path(weights))
    facts = dict(name=name, checkpoint=Path(weights).name, sha256=digest[:16], version=__version__)
    return LoadedRecognizer(recognizer.eval(), cfg, facts)


def checkpoint_config(path: Path) -> Config:
    """The config that a checkpoint of training holds.

    Raises:
        FileNotFoundError: When there is no such file.
        WeightsError: When it holds none.
    """
    if not path.is_file():
        raise FileNotFoundError(f'checkpoint {path} does not exist')
    content = torch.load(path, map_location='cpu', weights_only=True)
    text = content.get('meta', {}).get('cfg') if isinstance(content, dict) else None
    if not isinstance(text, str):
        raise WeightsError(f'{path} holds no config: give the config, and this file as weights')
    cfg = Config.fromstring(text, '.py')
    check_keys(cfg)
    return cfg


def _from_checkpoint(cfg: Config, path: Path) -> AffectiveRecognizer:
    init_default_scope(cfg.get('default_scope', 'mart_mm'))
    recognizer = MODELS.build(cfg.to_dict()['model'] | dict(pretext=None))
    ours, state = recognizer.state_dict(), read_state(path)
    wanted = {key: value for key, value in state.items() if key in ours}
    missing = [key for key in ours if key not in state and key.split('.')[-1] != _MASK_TOKEN]
    shapes = [
        f'{key} {tuple(value.shape)} in the file, {tuple(ours[key].shape)} here'
        for key, value in wanted.items()
        if value.shape != ours[key].shape
    ]
    if missing or shapes:
        raise WeightsError(
            f'{path} does not fit {cfg.filename or "its config"}: missing {missing[:8]} '
            f'({len(missing)}), other shapes {shapes[:8]} ({len(shapes)}). Give the config that it '
            'was trained with'
        )
    recognizer.load_state_dict(wanted, strict=False)
    return recognizer


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while chunk := file.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()
