"""Public forms of annotation lists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mart_mm.datasets.annotation_text import parse_json, read_lines, read_text
from mart_mm.errors import shown, unknown_name


def read_tsn_list(
    path: str | Path, classes: Sequence[str], has_labels: bool = True
) -> list[tuple[str, int]]:
    """Read a TSN-style list: ``anger/1000 1``, labels from 1.

    Args:
        path: The list.
        classes: Emotion classes.
        has_labels: Whether there is a label column; without one the name's folder is the class.

    Returns:
        (name, label from 0) by line.

    Raises:
        ValueError: Naming file, line and remedy.
    """
    labels = {str(number): number - 1 for number in range(1, len(classes) + 1)}
    pairs = []
    for number, line in read_lines(path):
        where = f'{path}, line {number}'
        if has_labels:
            name, _, label = line.rpartition(' ')
            if not name or label not in labels:
                raise ValueError(
                    f'{where}: {shown(line)} is not "name label" with a label from 1 to {len(classes)}'
                )
            pairs.append((name.strip(), labels[label]))
        else:
            folder = line.partition('/')[0]
            if folder not in classes:
                raise ValueError(f'{where}: {unknown_name("emotion class", folder, classes)}')
            pairs.append((line, list(classes).index(folder)))
    return pairs


def read_split_json(path: str | Path, classes: Sequence[str], subset: str) -> list[tuple[str, int]]:
    """Read a split as JSON: ``{"labels": [...], "database": {name: {"subset", "annotations"}}}``.

    Args:
        path: The file.
        classes: Emotion classes.
        subset: ``training`` or ``validation``.

    Returns:
        (class folder and name, label from 0).

    Raises:
        ValueError: Naming file, field and remedy.
    """
    try:
        database = parse_json(read_text(path), str(path))['database']
        items = [
            (name, entry['annotations']['label'])
            for name, entry in database.items()
            if entry['subset'] == subset
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f'{path}: not of the form {{"database": {{name: {{"subset": ..., "annotations": '
            f'{{"label": ...}}}}}}}} ({type(error).__name__}: {error})'
        ) from error
    if not items:
        subsets = sorted({str(entry['subset']) for entry in database.values()})
        raise ValueError(f'{path}: no entry with subset {subset!r}; there are {subsets}')
    for name, label in items:
        if label not in classes:
            raise ValueError(
                f'{path}, {shown(name)}: {unknown_name("emotion class", label, classes)}'
            )
    return [(f'{label}/{name}', list(classes).index(label)) for name, label in items]
