"""AffWild2: one tree out of annotations, batches of videos and cropped faces, whatever the release."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mart_mm.datasets.affwild2 import EXPRESSIONS, read_expressions, read_valence_arousal
from mart_mm.preparation.discovery import VideoIndex, find_videos, subtitles_of, walk
from mart_mm.preparation.plan import Medium, Plan, PreparationError

#: beginning of a release's folder -> the data set's folder
_CHALLENGES = {'expr': 'EXPR_Recognition_Challenge', 'va': 'VA_Estimation_Challenge'}
_SPLITS = {'train': 'Train_Set', 'val': 'Validation_Set'}
_IMAGES = ('.jpg', '.jpeg', '.png')
_SIDE = re.compile(r'_(left|right)$')


def plan(source: Path, lists: Path | None) -> Plan:
    """Annotations of expressions and of valence and arousal, their videos and their faces.

    Args:
        source: The download.
        lists: Folder of the annotations of one release; None looks for them in the download.

    Raises:
        PreparationError: When annotations of several releases differ.
    """
    plan = Plan(folders=('annotations', 'videos', 'cropped_aligned'))
    root = lists or source
    names: dict[str, None] = {}  # in order
    for place, files in _annotations(root).items():
        counts = np.zeros(len(EXPRESSIONS) + 1, dtype=np.int64)
        for path in files:
            target = f'annotations/{place}/{path.name}'
            try:
                counts += _labelled(path, place)
            except (ValueError, OSError) as error:
                plan.lacking.append(f'{target} is left out: {error}')
                continue
            plan.annotations[target] = path.read_bytes()
            names[path.stem] = None
        plan.notes.append(f'{place}: {len(files)} files, {_describe(counts, place)}')
    if not names:
        plan.lacking.append(
            f'no annotation below {root}; expected EXPR_.../Train_Set/*.txt, VA_.../Train_Set/*.txt; '
            'name their folder with --lists'
        )
    _add_videos(plan, source, names)
    _add_faces(plan, source, names)
    return plan


def _is_no_faces(name: str) -> bool:
    return not name.lower().startswith('cropped')


def _annotations(root: Path) -> dict[str, list[Path]]:
    """Files by the data set's folder."""
    found: dict[str, dict[str, Path]] = {}
    for path in walk(root, _is_no_faces):
        place = _place(path.relative_to(root.parent).parts[:-1])
        if path.suffix.lower() != '.txt' or place is None:
            continue
        first = found.setdefault(place, {}).setdefault(path.name, path)
        if first != path and first.read_bytes() != path.read_bytes():
            raise PreparationError(
                f'{first} and {path} differ: name the folder of one release with --lists'
            )
    return {place: list(files.values()) for place, files in sorted(found.items())}


def _place(folders: tuple[str, ...]) -> str | None:
    """``EXPR_Recognition_Challenge/Train_Set`` for the folders above an annotation, None for others."""
    challenge = None
    for folder in map(str.lower, folders):
        start = re.match(r'(expr|va)(?![a-z])', folder)
        if start:
            challenge = _CHALLENGES[start[1]]
        elif challenge:
            for beginning, split in _SPLITS.items():
                if folder.startswith(beginning):
                    return f'{challenge}/{split}'
    return None


def _labelled(path: Path, place: str) -> np.ndarray:
    """Frames of each expression, then those without label; of valence and arousal only two counts."""
    counts = np.zeros(len(EXPRESSIONS) + 1, dtype=np.int64)
    if place.startswith(_CHALLENGES['expr']):
        return counts + np.bincount(read_expressions(path) % len(counts), minlength=len(counts))
    is_ignored = np.isnan(read_valence_arousal(path)[:, 0])
    counts[[0, -1]] = (~is_ignored).sum(), is_ignored.sum()
    return counts


def _describe(counts: np.ndarray, place: str) -> str:
    without = f'{counts[-1]} without label'
    if not place.startswith(_CHALLENGES['expr']):
        return f'{counts[0]} frames, {without}'
    shares = ', '.join(f'{name} {n}' for name, n in zip(EXPRESSIONS, counts, strict=False))
    return f'frames: {shares}, {without}'


def _add_videos(plan: Plan, source: Path, names: dict[str, None]) -> None:
    index = VideoIndex(source, find_videos(source, _is_no_faces))
    # two faces of one video have an annotation each, the second one named after its side
    media = {name: name if index.exact(name) else _SIDE.sub('', name) for name in sorted(names)}
    exact = {path for name in media.values() for path in index.exact(name)}
    used = set()
    for name in dict.fromkeys(media.values()):
        path, remark = index.find(name, exact)
        if path is None:
            plan.missing[f'videos/{name}'] = remark
            continue
        if remark:
            plan.notes.append(f'{name}: {remark}')
        used.add(path)
        plan.media.append(Medium(path, f'videos/{name}'))
        plan.subtitles |= subtitles_of(path, f'subtitles/{name}')
    if names:
        plan.unused = [str(p.relative_to(source)) for p in index.paths if p not in used]


def _add_faces(plan: Plan, source: Path, names: dict[str, None]) -> None:
    found: dict[str, Path] = {}
    for folder in _face_folders(source, is_below=False):
        found.setdefault(folder.name, folder)
    faces = [
        Medium(found[name], f'cropped_aligned/{name}', is_folder=True)
        for name in sorted(names)
        if name in found
    ]
    plan.media += faces
    if found and len(faces) < len(names):
        plan.notes.append(
            f'{len(names) - len(faces)} of {len(names)} annotations have no cropped faces'
        )


def _face_folders(folder: Path, is_below: bool) -> Iterator[Path]:
    """Folders of images below one called ``cropped_aligned...``; their own content is not listed."""
    folders = []
    for entry in os.scandir(folder):
        if entry.name.startswith('.'):
            continue
        if entry.is_dir():
            folders.append(entry)
        elif is_below and entry.name.lower().endswith(_IMAGES):
            yield folder
            return
    for entry in sorted(folders, key=lambda entry: entry.name):
        is_faces = is_below or entry.name.lower().startswith('cropped_aligned')
        yield from _face_folders(Path(entry.path), is_faces)
