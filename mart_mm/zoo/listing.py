"""The model index for people and programs."""

from __future__ import annotations

from mart_mm.zoo.index import ModelEntry, index_folder, read_index
from mart_mm.zoo.weights import demo_checkpoint

_NONE = '-'


def describe(pattern: str = '') -> list[dict]:
    """What is known of each model, as JSON values.

    Args:
        pattern: Text that a name or alias contains.

    Returns:
        ``name``, ``aliases``, ``collection``, ``training_data``, ``config`` (a path) and ``weights``:
        an address, the checkpoint of a demo in the current folder, or None.
    """
    return [
        dict(
            name=entry.name,
            aliases=list(entry.aliases),
            collection=entry.collection,
            training_data=entry.training_data,
            config=str(entry.config),
            weights=_weights(entry),
        )
        for entry in read_index()
        if any(pattern.lower() in name.lower() for name in (entry.name, *entry.aliases))
    ]


def table(entries: list[dict]) -> str:
    """The same as lines for a person.

    Args:
        entries: Of :func:`describe`.
    """
    root = f'{index_folder()}/'
    rows = [('name', 'trained on', 'weights', 'config')]
    for entry in entries:
        config = entry['config'].removeprefix(root)
        rows.append((entry['name'], entry['training_data'], entry['weights'] or _NONE, config))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        '  '.join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]
    without = sum(entry['weights'] is None for entry in entries)
    return '\n'.join([*lines, '', f'{len(entries)} models, {without} without weights; any name may '
                      'be written with - for _'])  # fmt: skip


def _weights(entry: ModelEntry) -> str | None:
    demo = demo_checkpoint(entry.name)
    return entry.weights or (demo and str(demo))
