"""The model index: ``model-index.yml`` and the ``metafile.yml`` of each folder of configs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_INDEX = 'model-index.yml'


@dataclass(frozen=True)
class ModelEntry:
    """A model of the index.

    Attributes:
        name: Stem of its config.
        aliases: Other names.
        collection: The method it belongs to.
        config: Its config.
        training_data: What it is trained on.
        weights: Address of published weights, None where there are none.
    """

    name: str
    aliases: tuple[str, ...]
    collection: str
    config: Path
    training_data: str
    weights: str | None

    def is_called(self, name: str) -> bool:
        """Whether this is one of its names, in any case, as in MMEngine."""
        return name.lower() in (known.lower() for known in (self.name, *self.aliases))


def checkout() -> Path | None:
    """The checkout that this package is imported from, None where it is installed from a wheel."""
    root = _PACKAGE.parent
    return root if (root / _INDEX).is_file() and (root / 'configs').is_dir() else None


def index_folder() -> Path:
    """Where the index and ``configs`` are: the checkout, or ``mart_mm/.mim`` of an installed wheel.

    Raises:
        FileNotFoundError: When the installation lacks them.
    """
    folder = checkout() or _PACKAGE / '.mim'
    if not (folder / _INDEX).is_file():
        raise FileNotFoundError(
            f'{folder / _INDEX} is missing: the installation of mart-mm is incomplete, install it '
            'again (pip install --force-reinstall mart-mm)'
        )
    return folder


@cache
def read_index() -> tuple[ModelEntry, ...]:
    """All models, in the order of the index."""
    folder, entries = index_folder(), []
    for name in _read_yaml(folder / _INDEX)['Import']:
        for model in _read_yaml(folder / name)['Models']:
            entry = ModelEntry(
                name=model['Name'],
                aliases=tuple(model.get('Alias', ())),
                collection=model['In Collection'],
                config=folder / model['Config'],
                training_data=model['Metadata']['Training Data'],
                weights=model.get('Weights'),
            )
            entries.append(entry)
    return tuple(entries)


def find_model(name: str) -> ModelEntry | None:
    """The model of a name or alias, None where there is none."""
    return next((entry for entry in read_index() if entry.is_called(name)), None)


def _read_yaml(path: Path) -> dict:
    import yaml

    return yaml.safe_load(path.read_text(encoding='utf-8'))
