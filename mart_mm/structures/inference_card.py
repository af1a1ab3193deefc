"""What a checkpoint says of itself, so that it can be used without its config and data set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

FORMAT = 1
#: key of the card in a checkpoint's ``meta``
KEY = 'inference'
#: packages whose components a card may name
SCOPES = ('mart_mm', 'mmaction', 'mmpretrain')
_TYPE = re.compile(rf'(?:(?:{"|".join(SCOPES)})\.)?[A-Za-z_]\w*')


class CardError(ValueError):
    """A card is missing, incomplete or names what it must not; the message holds the remedy."""


@dataclass(frozen=True)
class InferenceCard:
    """All that inference needs beside the weights: strings, numbers, lists and dicts.

    Attributes:
        name: Of the config that was trained.
        model: Config of the recogniser.
        pipeline: Config of the test pipeline.
        classes: Emotion classes.
        polarity: Of each class: -1, 0 or 1.
        mood_table: Class of each of the lexicon's moods.
        segment_seconds: Median length of a segment in the training data; None where not known.
        version: Of this package, at training.
    """

    name: str
    model: dict
    pipeline: list[dict]
    classes: list[str]
    polarity: list[int]
    mood_table: dict[str, str | None]
    segment_seconds: float | None
    version: str

    def to_dict(self) -> dict:
        """As plain data, with ``format`` in front."""
        return dict(format=FORMAT, **asdict(self))

    @classmethod
    def from_dict(cls, content: object, source: str) -> InferenceCard:
        """From what :meth:`to_dict` gave.

        Args:
            content: Plain data of a checkpoint; it is not trusted.
            source: The checkpoint, named in errors.

        Raises:
            CardError: When a field is missing or of another format, or when a ``type`` in it names
                something else than a component.
        """
        remedy = 'give the config it was trained with, and the checkpoint as weights'
        if not isinstance(content, Mapping) or content.get('format') != FORMAT:
            raise CardError(
                f'{source}: format {FORMAT} of meta.{KEY} is expected, which describes model, classes '
                f'and pipeline: {remedy}'
            )
        missing = [field.name for field in fields(cls) if field.name not in content]
        if missing:
            raise CardError(f'{source}: meta.{KEY} lacks {", ".join(missing)}: {remedy}')
        card = cls(**{field.name: content[field.name] for field in fields(cls)})
        if not card.pipeline:
            raise CardError(
                f'{source}: trained without a test pipeline (test_dataloader and val_dataloader are '
                f'empty): {remedy}'
            )
        check_types([card.model, card.pipeline], source)
        return card


def check_types(node: object, source: str) -> None:
    """Refuse configs that name anything but components of known packages.

    MMEngine builds a ``type`` by its dotted name too: ``os.system`` is one. A config that comes with
    weights from somewhere must not be able to call it.

    Args:
        node: Config, or a list of them.
        source: Named in the error.

    Raises:
        CardError: Naming the type.
    """
    if isinstance(node, Mapping):
        kind = node.get('type')
        if kind is not None and not (isinstance(kind, str) and _TYPE.fullmatch(kind)):
            raise CardError(
                f'{source}: its config names the type {kind!r}, which is no registered component of '
                f'{", ".join(SCOPES)}: refused, it could run code. Give a config that you trust, and '
                'the checkpoint as weights'
            )
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for child in node:
            check_types(child, source)
