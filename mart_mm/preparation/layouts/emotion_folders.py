"""Videos in one folder per emotion, named by TSN-style lists: Ekman6 and VideoEmotion8."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from mart_mm.datasets.base import AffectiveDataset
from mart_mm.datasets.lists import read_tsn_list
from mart_mm.preparation.discovery import VideoIndex, find_named, find_videos, subtitles_of
from mart_mm.preparation.plan import Medium, Plan, PreparationError

TRAIN, TEST = 'trainlist01.txt', 'testlist01.txt'


def plan_lists(
    source: Path,
    lists: Path | None,
    data_set: type[AffectiveDataset],
    *,
    has_test_labels: bool,
    is_unique_by_name: bool,
    extras: tuple[str, ...],
) -> Plan:
    """Videos that the two lists name, the lists themselves and subtitles beside the videos.

    Args:
        source: The download.
        lists: Folder of the lists; None looks for them in the download.
        data_set: Gives the classes.
        has_test_labels: Whether the test list has a label column.
        is_unique_by_name: Whether a name that stands in several folders is one video, whose last line
            counts.
        extras: Further files that are taken along if they lie beside the training list.

    Raises:
        PreparationError: For a bad line of a list.
    """
    plan = Plan(folders=('annotations', 'videos'))
    classes = data_set.METAINFO['classes']
    found = find_named(lists or source, (TRAIN, TEST))
    names: dict[str, str] = {}  # listed name -> list
    for split in (TRAIN, TEST):
        if split not in found:
            plan.lacking.append(
                f'{split}: not below {lists or source}; it is in the repository '
                'nku-zhichengzhang/CTEN, tools/annotations; name its folder with --lists'
            )
            continue
        plan.annotations[f'annotations/{split}'] = found[split].read_bytes()
        try:
            pairs = read_tsn_list(found[split], classes, split == TRAIN or has_test_labels)
        except ValueError as error:
            raise PreparationError(str(error)) from error
        listed = _last_of_each_name(plan, split, pairs) if is_unique_by_name else pairs
        counts = Counter(classes[label] for _, label in listed)
        shares = ', '.join(f'{name} {counts[name]}' for name in classes)
        plan.notes.append(f'{split}: {len(pairs)} lines, {len(listed)} videos: {shares}')
        for name, _ in listed:
            names.setdefault(name, split)
    if TRAIN in found:
        beside = {path.name: path for path in found[TRAIN].parent.iterdir()}
        for name in extras:
            if name in beside:
                plan.annotations[f'annotations/{name}'] = beside[name].read_bytes()
    _add_videos(plan, source, names)
    return plan


def _last_of_each_name(
    plan: Plan, split: str, pairs: list[tuple[str, int]]
) -> list[tuple[str, int]]:
    by_name: dict[str, list[tuple[str, int]]] = {}
    for path, label in pairs:
        by_name.setdefault(path.rpartition('/')[2], []).append((path, label))
    for lines in by_name.values():
        if len(lines) > 1:
            *others, last = (path for path, _ in lines)
            plan.notes.append(f'{split}: {last} is listed as {", ".join(others)} too; it counts')
    return [lines[-1] for lines in by_name.values()]


def _add_videos(plan: Plan, source: Path, names: dict[str, str]) -> None:
    index = VideoIndex(source, find_videos(source))
    exact = {path for name in names for path in index.exact(name)}
    used = set()
    for name, split in names.items():
        path, remark = index.find(name, exact)
        if path is None:
            plan.missing[f'videos/{name}'] = f'{remark} ({split})'
            continue
        if remark:
            plan.notes.append(f'{name}: {remark}')
        used.add(path)
        plan.media.append(Medium(path, f'videos/{name}'))
        plan.subtitles |= subtitles_of(path, f'subtitles/{name}')
    if names:
        plan.unused = [str(p.relative_to(source)) for p in index.paths if p not in used]
