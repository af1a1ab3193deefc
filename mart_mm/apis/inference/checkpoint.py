"""From a checkpoint, with or without its config, to a recogniser that predicts."""

from __future__ import annotations

import copy
import hashlib
import logging
from pathlib import Path
from typing import NamedTuple

from mmengine.config import Config
from mmengine.logging import print_log
from torch import Tensor

from mart_mm.apis.inference.pretext import (
    EmotionPicker,
    WordVerifier,
    is_type,
    weights_below,
    why_no_masks,
)
from mart_mm.engine.describe_run import evaluation_pipeline
from mart_mm.errors import WeightsError
from mart_mm.models.language_data_preprocessor import LanguageDataPreprocessor
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.registry import MODELS
from mart_mm.structures.inference_card import KEY, CardError, InferenceCard
from mart_mm.utils.download import is_web_address
from mart_mm.version import __version__
from mart_mm.weight_files.opening import open_checkpoint
from mart_mm.weight_files.remote import fetch

_REMEDY = 'give a checkpoint that tools/train.py wrote'
_BLOCK = 1 << 20
_SHOWN = 6


class Checkpoint(NamedTuple):
    """A checkpoint's content.

    Attributes:
        path: The file.
        state: Weights by name.
        meta: What was saved beside them, plain data.
        sha256: Of the file, first 16 digits.
    """

    path: Path
    state: dict[str, Tensor]
    meta: dict
    sha256: str


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint or published weights without running code from them.

    Args:
        path: The file, or an ``http(s)://`` address of one.

    Raises:
        OSError: When there is no such file, or it cannot be read or downloaded.
        WeightsError: When it is damaged, none, or asks for code to be run.
    """
    path = fetch(path) if is_web_address(path) else Path(path)
    content = open_checkpoint(path, 'cpu')
    state = content.get('state_dict') if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise WeightsError(f'{path} holds no state_dict: {_REMEDY}')
    meta = content.get('meta')
    return Checkpoint(path, state, meta if isinstance(meta, dict) else {}, _sha256(path))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()[:16]


def card_of(checkpoint: Checkpoint, cfg: Config | None = None) -> InferenceCard:
    """What a checkpoint says of itself; of a config that is given, its model and pipeline instead.

    Args:
        checkpoint: The checkpoint.
        cfg: Is trusted.

    Raises:
        CardError: When something is missing, with the remedy.
    """
    if not cfg:
        return InferenceCard.from_dict(checkpoint.meta.get(KEY), str(checkpoint.path))
    plain = cfg.to_dict()
    said = checkpoint.meta.get(KEY) or checkpoint.meta.get('dataset_meta') or {}
    lacking = [name for name in ('classes', 'polarity') if name not in said]
    if lacking:
        raise CardError(f'{checkpoint.path}: its meta lacks {", ".join(lacking)}: {_REMEDY}')
    pipeline = evaluation_pipeline(plain)
    if 'model' not in plain or not pipeline:
        raise CardError(
            f'{getattr(cfg, "filename", None) or "the config"}: model and '
            'test_dataloader.dataset.pipeline are needed'
        )
    return InferenceCard(
        name=Path(getattr(cfg, 'filename', None) or 'config').stem,
        model=plain['model'],
        pipeline=pipeline,
        classes=list(said['classes']),
        polarity=list(said['polarity']),
        mood_table=dict(said.get('mood_table') or {}),
        segment_seconds=said.get('segment_seconds'),
        version=__version__,
    )


def build_for_prediction(
    card: InferenceCard, checkpoint: Checkpoint, masks: bool = False
) -> AffectiveRecognizer:
    """The recogniser of a card with the weights of a checkpoint, on the CPU, in evaluation mode.

    What only training needs is left out: the pretext but for its verifier, files of pretrained
    weights, compilation, and the text encoder of models that read no words. Words are verified by the
    temporal scores of these very weights, which are those that the report shows.

    Args:
        card: What is known of the model.
        checkpoint: Its weights.
        masks: Whether the pretext's attention and maskers are built too. Where it has none, or they are
            not in the checkpoint, a warning says so.

    Raises:
        WeightsError: When the weights are of another model.
    """
    config = _without_pretrained(copy.deepcopy(card.model))
    pretext = config.pop('pretext', None) or {}
    config.pop('compile_cfg', None)
    preprocessor = config['data_preprocessor']
    if masks:
        reason = why_no_masks(pretext, preprocessor['text_encoder'], checkpoint.state)
        masks = not reason
        if reason:
            print_log(
                f'{checkpoint.path}: reports hold no masks: {reason}',
                logger='current',
                level=logging.WARNING,
            )
    if not masks and not is_type(preprocessor, LanguageDataPreprocessor):
        preprocessor['text_encoder'] = dict(type='LexiconVectorEncoder')
    recognizer = MODELS.build(config)
    _fill(recognizer, checkpoint)
    if masks:
        recognizer.pretext = EmotionPicker(pretext, recognizer)
        _fill_attention(recognizer.pretext, checkpoint)
    elif pretext.get('verifier'):
        recognizer.pretext = WordVerifier(MODELS.build(pretext['verifier']))
    recognizer.data_preprocessor.encode_cues = masks
    return recognizer.requires_grad_(False).eval()


def _without_pretrained(node: object) -> object:
    """A config in which no part starts from a file: all weights are in the checkpoint."""
    if isinstance(node, dict):
        for key, value in node.items():
            node[key] = (
                None if key in ('pretrained', 'init_cfg') and value else _without_pretrained(value)
            )
    elif isinstance(node, (list, tuple)):
        return type(node)(_without_pretrained(value) for value in node)
    return node


def _fill(recognizer: AffectiveRecognizer, checkpoint: Checkpoint) -> None:
    state = {k: v for k, v in checkpoint.state.items() if not k.startswith('pretext.')}
    own = recognizer.state_dict()
    # mask tokens stand for hidden patches only, and nothing is hidden here
    missing = [key for key in own if key not in state and not key.endswith('mask_token')]
    unexpected = [key for key in state if key not in own and not key.endswith('mask_token')]
    shapes = [
        f'{key}: {tuple(state[key].shape)} in the file, {tuple(value.shape)} here'
        for key, value in own.items()
        if key in state and state[key].shape != value.shape
    ]
    faults = [
        f'{what} {keys[:_SHOWN]} ({len(keys)})'
        for what, keys in (
            ('missing in the file', missing),
            ('no place here for', unexpected),
            ('other shapes', shapes),
        )
        if keys
    ]
    if faults:
        raise WeightsError(
            f'{checkpoint.path} is of another model than its config says: {"; ".join(faults)}. '
            'Give the config that the checkpoint was trained with'
        )
    recognizer.load_state_dict(state, strict=False)


def _fill_attention(picker: EmotionPicker, checkpoint: Checkpoint) -> None:
    for name, attention in picker.attention.items():
        prefix = f'pretext.attention.{name}.'
        try:
            attention.load_state_dict(weights_below(prefix, checkpoint.state))
        except RuntimeError as error:
            raise WeightsError(
                f'{checkpoint.path}: {prefix}* is of another model than its config says ({error}). '
                'Give the config that the checkpoint was trained with'
            ) from error
