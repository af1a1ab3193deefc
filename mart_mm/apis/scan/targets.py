"""Which files are scanned, and what is asked of each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.config import Config

from mart_mm.apis.splits import SPLITS, build_split, dataset_config, find_step
from mart_mm.datasets.remote import is_remote
from mart_mm.transcription.run import MEDIA_SUFFIXES

#: keys of a record that LoadTranscript reads
_TRANSCRIPT_KEYS = ('transcript_path', 'lines', 'video_path', 'audio_path')
_TIME_KEYS = ('start', 'end', 'start_frame', 'stop_frame')


@dataclass
class Usage:
    """A record that uses a file.

    Attributes:
        video_id: Of the record.
        label: Name of its class.
        splits: Those that hold it.
        times: Its ``start``, ``end``, ``start_frame``, ``stop_frame``, those it has.
    """

    video_id: str
    label: str
    splits: list[str]
    times: dict[str, float]


@dataclass
class Target:
    """A file, or a folder of cropped frames, and what is asked of it.

    Attributes:
        path: Where it is.
        kind: ``'video'``, ``'sound'`` (of a record whose pictures lie elsewhere) or ``'features'``.
        needs_sound: Whether a video without sound is to be told.
        needs_transcript: Whether words are wanted of it.
        usages: Records that use it; none of a file that was named directly.
        spoken: Distinct parts of records from which LoadTranscript finds what is said.
        transcript_options: Arguments of LoadTranscript.
        needs_digest: Whether another file has the same size, so that contents must be compared.
    """

    path: str
    kind: str = 'video'
    needs_sound: bool = True
    needs_transcript: bool = True
    usages: list[Usage] = field(default_factory=list)
    spoken: list[dict] = field(default_factory=list)
    transcript_options: dict = field(default_factory=dict)
    needs_digest: bool = False


def collect(names: Sequence[str | Path], options: dict | None = None) -> list[Target]:
    """Targets behind what was named, each file once.

    Args:
        names: Media files, folders of them, and configs (.py) whose data sets are taken, all splits.
            A file that does not exist is a target too.
        options: Overrides of the configs' fields.

    Raises:
        FileNotFoundError: When a config, or the layout of its data set, is not there.
        ValueError: When nothing is found, or an annotation is wrong.
    """
    targets: dict[str, Target] = {}
    for name in map(Path, names):
        if name.suffix == '.py':
            _add_config(targets, name, options or {})
        else:
            for path in _media_in(name):
                target = _target(targets, path)
                target.spoken = target.spoken or [dict(video_path=str(path))]
    if not targets:
        raise ValueError(
            f'no media file ({", ".join(MEDIA_SUFFIXES)}) in {", ".join(map(str, names))}'
        )
    _mark_equal_sizes(targets.values())
    return list(targets.values())


def _media_in(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    inside = path.rglob('*')
    return sorted(p for p in inside if p.suffix.lower() in MEDIA_SUFFIXES and p.is_file())


def _add_config(targets: dict[str, Target], path: Path, options: dict) -> None:
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such config')
    cfg = Config.fromfile(path)
    cfg.merge_from_dict(options)
    for split in SPLITS:
        if dataset_config(cfg, split):
            _add_split(targets, cfg, split)


def _target(targets: dict[str, Target], path: str | Path, **asked: object) -> Target:
    return targets.setdefault(os.path.abspath(path), Target(str(path), **asked))


def _add_split(targets: dict[str, Target], cfg: Config, split: str) -> None:
    data_set = build_split(cfg, split, with_pipeline=False)
    loader = find_step(dataset_config(cfg, split)['pipeline'], 'LoadTranscript')
    options = {key: value for key, value in (loader or {}).items() if key != 'type'}
    classes = data_set.metainfo['classes']
    for index in range(len(data_set)):
        record = data_set.get_data_info(index)
        _refuse_remote(record)
        for target in _targets_of(targets, record):
            target.transcript_options = options
            if loader is None:
                target.needs_transcript = False
            times = {key: record[key] for key in _TIME_KEYS if record.get(key) is not None}
            _use(target, Usage(record['video_id'], classes[record['gt_emotion']], [split], times))
            spoken = {key: record[key] for key in _TRANSCRIPT_KEYS if record.get(key)}
            if target.needs_transcript and spoken not in target.spoken:
                target.spoken.append(spoken)


def _refuse_remote(record: dict) -> None:
    paths = (record.get('video_path'), record.get('audio_path'))
    for path in (*paths, *(record.get('features') or {}).values()):
        if path and is_remote(path):
            raise ValueError(
                f'{path}: only local files are scanned; fetch or unpack it, and name the folder'
            )


def _targets_of(targets: dict[str, Target], record: dict) -> list[Target]:
    video, sound = record.get('video_path'), record.get('audio_path')
    found = []
    if video:
        has_own_sound = not sound or os.path.abspath(sound) == os.path.abspath(video)
        found.append(_target(targets, video, needs_sound=has_own_sound))
        if not has_own_sound:
            found.append(_target(targets, sound, kind='sound', needs_transcript=False))
    for path in (record.get('features') or {}).values():
        found.append(_target(targets, path, kind='features', needs_transcript=False))
    return found


def _use(target: Target, usage: Usage) -> None:
    """Add a record; the same one in another split only adds the split."""
    for known in target.usages:
        if (known.video_id, known.label, known.times) == (usage.video_id, usage.label, usage.times):
            known.splits += [split for split in usage.splits if split not in known.splits]
            return
    target.usages.append(usage)


def _mark_equal_sizes(targets: Iterable[Target]) -> None:
    by_size: dict[int, list[Target]] = {}
    for target in targets:
        if os.path.isfile(target.path):
            by_size.setdefault(os.path.getsize(target.path), []).append(target)
    for same in by_size.values():
        for target in same:
            target.needs_digest = len(same) > 1
