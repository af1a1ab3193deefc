"""Models by the names of model-index.yml."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def find_model(model: str, entries: Iterable[dict]) -> dict:
    """The entry of a model.

    Args:
        model: Its name or alias, in any case.
        entries: Of the metafiles.

    Raises:
        ValueError: When there is none, with the nearest names.
    """
    names: list[str] = []
    for entry in entries:
        aliases = entry.get('Alias') or []
        own = [entry['Name'], *([aliases] if isinstance(aliases, str) else aliases)]
        if model.lower() in map(str.lower, own):
            return entry
        names += own
    near = ', '.join(get_close_matches(model, names, cutoff=0.4)) or ', '.join(names[:3])
    raise ValueError(
        f'{model!r} is no file, and none of the {len(names)} names in model-index.yml, which '
        f'MARTInferencer.list_models() gives; near to it: {near}'
    )
