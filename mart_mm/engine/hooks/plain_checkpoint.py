"""Checkpoints of tensors, numbers, strings and plain containers only."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner

from mart_mm.engine.describe_run import describe
from mart_mm.registry import HOOKS
from mart_mm.structures.inference_card import KEY

_BUFFER = '__history_buffer__'


def to_plain(value: object, where: str = 'checkpoint') -> object:
    """Replace NumPy values and log buffers by tensors, numbers and containers.

    Args:
        value: Anything that a checkpoint holds.
        where: Its place, for error messages.

    Raises:
        TypeError: For an object that torch's safe loader would refuse.
    """
    if isinstance(value, np.generic):  # np.float64 is a float too, so this comes first
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str, bytes, torch.Tensor)):
        return value
    if isinstance(value, HistoryBuffer):
        history, counts = value.data
        return {
            _BUFFER: True,
            'history': torch.from_numpy(np.asarray(history).copy()),
            'counts': torch.from_numpy(np.asarray(counts, dtype=np.int64).copy()),
            'max_length': int(value.max_length),
        }
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, OrderedDict):
        return OrderedDict((k, to_plain(v, f'{where}.{k}')) for k, v in value.items())
    if isinstance(value, Mapping):
        return {k: to_plain(v, f'{where}.{k}') for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return type(value)(to_plain(v, f'{where}[{i}]') for i, v in enumerate(value))
    raise TypeError(
        f'{where} holds a {type(value).__name__}: checkpoints keep only tensors, numbers, strings '
        'and plain containers, so that they can be opened without running code'
    )


def from_plain(value: object) -> object:
    """Rebuild log buffers that :func:`to_plain` took apart."""
    if isinstance(value, Mapping):
        if value.get(_BUFFER):
            return HistoryBuffer(
                value['history'].numpy(), value['counts'].numpy(), value['max_length']
            )
        return type(value)((k, from_plain(v)) for k, v in value.items())
    return value


@HOOKS.register_module()
class PlainCheckpointHook(Hook):
    """Makes every checkpoint one that ``torch.load(weights_only=True)`` opens, and that needs no config.

    MMEngine keeps its log buffers as objects, which torch's safe loader refuses; see
    https://github.com/open-mmlab/mmengine/issues/1655. It keeps the config as Python text, which nobody
    should run who did not write it: ``meta['inference']`` says the same as plain data, see
    :class:`~mart_mm.structures.inference_card.InferenceCard`.
    """

    priority = 'VERY_LOW'

    def __init__(self) -> None:
        self._card: dict | None = None

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the card; take objects apart; tensors of the state dicts are left alone."""
        if self._card is None:
            card = describe(runner.cfg, runner.train_dataloader.dataset)
            self._card = {} if card is None else {KEY: card.to_dict()}
        checkpoint.setdefault('meta', {}).update(self._card)
        for key, value in checkpoint.items():
            checkpoint[key] = to_plain(value, key)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Put the message hub together again."""
        if 'message_hub' in checkpoint:
            checkpoint['message_hub'] = from_plain(checkpoint['message_hub'])
