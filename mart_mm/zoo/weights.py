"""Where a model's weights are; only weights that exist are named."""

from __future__ import annotations

import re
from pathlib import Path

from mart_mm.weight_files import SUFFIXES
from mart_mm.zoo.configs import resolve_config
from mart_mm.zoo.index import find_model

#: runs of ``mart-mm demo`` by the model that they train
DEMO_RUNS = {'mart_mbt_planted': 'mart', 'mbt_planted': 'supervised'}


class NoWeightsError(FileNotFoundError):
    """There are no weights; the message says how to get some."""


def locate(model: str, weights: str | Path | None = None) -> tuple[str, str | None]:
    """What an inferencer is told to load.

    Args:
        model: A checkpoint, which needs nothing else; or a config, or the name of one.
        weights: A checkpoint of the config.

    Returns:
        The checkpoint and ``weights`` as they are; or config and weights of a model.

    Raises:
        UnknownConfigError: With the nearest names.
        NoWeightsError: When there are no weights, with the remedy.
    """
    if Path(model).suffix in SUFFIXES:
        if not Path(model).is_file():
            raise NoWeightsError(f'checkpoint {model} does not exist')
        return model, None if weights is None else str(weights)
    return str(resolve_config(model)), find_weights(model, weights)


def find_weights(
    model: str, weights: str | Path | None = None, demo: str | Path = 'demo_out'
) -> str:
    """The checkpoint to take for a model.

    Args:
        model: Name or alias of the index, or path of a config.
        weights: A checkpoint, or an address of one; taken where given.
        demo: Folder of a finished ``mart-mm demo``.

    Returns:
        ``weights``; else what the index names; else, for a model that the demo trains, the last
        checkpoint of the demo in ``demo``.

    Raises:
        NoWeightsError: When there are none, with the command that makes some.
    """
    if weights is not None:
        if '://' not in str(weights) and not Path(weights).is_file():
            raise NoWeightsError(f'checkpoint {weights} does not exist')
        return str(weights)
    entry = find_model(str(model)) or find_model(Path(model).stem)
    name = entry.name if entry else str(model)
    if entry and entry.weights:
        return entry.weights
    if name in DEMO_RUNS:
        found = demo_checkpoint(name, demo)
        if found is not None:
            return str(found)
        raise NoWeightsError(
            f'there are no weights of {name} in {Path(demo).resolve()}: `mart-mm demo` makes them '
            'in minutes on two processor cores; or name a checkpoint with --weights'
        )
    raise NoWeightsError(
        f'no weights of {name} are published: train it (`mart-mm train {model}`) and name the '
        'checkpoint with --weights, or take mart_mbt_planted, whose weights `mart-mm demo` makes'
    )


def demo_checkpoint(name: str, demo: str | Path = 'demo_out') -> Path | None:
    """The last checkpoint of a model that the demo trained, None where there is none."""
    run = DEMO_RUNS.get(name)
    if run is None:
        return None
    found = {}
    for path in (Path(demo) / run).glob('epoch_*.pth'):
        if number := re.fullmatch(r'epoch_(\d+)', path.stem):
            found[int(number[1])] = path
    return found[max(found)] if found else None
