"""From a checkpoint of a run to a file of weights to give away."""

from __future__ import annotations

from pathlib import Path

from mart_mm.apis.inference.checkpoint import card_of, read_checkpoint
from mart_mm.weight_files.published import write_published


def publish(checkpoint: str | Path, out: str | Path | None = None) -> Path:
    """Write a checkpoint's weights and what they need to predict, and nothing else.

    Left out are optimiser, schedules, log and config. Where a run averages weights over time
    (``EMAHook``), its checkpoints keep the average as their weights, and this is what is written.

    Args:
        checkpoint: Written by training.
        out: ``NAME.safetensors``; beside the checkpoint, with its name, where not given.

    Returns:
        ``NAME-<first 8 digits of its SHA-256>.safetensors``; every place that loads a checkpoint loads
        it, and verifies the digits.

    Raises:
        FileNotFoundError: When there is no such checkpoint.
        WeightsError: When it is damaged or none.
        CardError: When it does not describe itself.
        OSError: When the file cannot be written; nothing is left then.
    """
    read = read_checkpoint(checkpoint)
    card = card_of(read).to_dict()
    return write_published(read.state, card, out or Path(checkpoint).with_suffix(''))
