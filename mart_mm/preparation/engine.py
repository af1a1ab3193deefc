"""Carry a plan out: what is there stays, what is broken is reported, a stopped run goes on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from tqdm import tqdm

from mart_mm.datasets.base import VIDEO_SUFFIXES
from mart_mm.preparation.placing import Placement, is_placed, place, remove
from mart_mm.preparation.plan import Medium, Plan, PreparationError
from mart_mm.preparation.workers import run_each
from mart_mm.utils.atomic import replacing, write_text

STATE, FAILURES = 'prepare.json', 'prepare_failures.json'
VERSION = 1
_OWN_SUFFIXES = (*VIDEO_SUFFIXES, '.txt', '.csv')


@dataclass
class Report:
    """What came of a run.

    Attributes:
        plan: What was wanted.
        made: Media that were put into their place now.
        ready: Media that are in their place.
        failed: Video that is broken -> reason.
        missing: Place of a listed video -> why there is none.
    """

    plan: Plan
    made: int = 0
    ready: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def failed_share(self) -> float:
        """Of the media that are wanted, those that are broken or missing."""
        wanted = len(self.plan.media) + len(self.missing)
        return (len(self.failed) + len(self.missing)) / max(1, wanted)


def prepare(
    data_set: str,
    plan: Plan,
    out: str | Path,
    placement: Placement,
    options: dict | None = None,
    jobs: int = 1,
    force: bool = False,
) -> Report:
    """Bring the prepared folder to what the plan says.

    Files appear under their names only when they are whole, so a run that was killed goes on where it
    stopped. A second run changes nothing. ``prepare.json`` holds the options.

    Args:
        data_set: Its name.
        plan: What to do.
        out: The prepared folder; made where missing.
        placement: How media get there.
        options: Further ones that decide what the folder holds.
        jobs: Processes.
        force: Whether to remove what an earlier run with other options made.

    Raises:
        PreparationError: When the folder holds something else, or was made with other options.
        OSError: When a file cannot be written.
    """
    out = Path(out)
    state = dict(data_set=data_set, version=VERSION, options=asdict(placement) | (options or {}))
    _claim(out, plan, state, force)
    _remove_left_over(out, plan)
    for name, content in plan.annotations.items():
        _write_if_other(out / name, content)
    for name, source in plan.subtitles.items():
        if not (out / name).exists():
            _write_if_other(out / name, source.read_bytes())
    report = Report(plan, missing=_not_there(out, plan))
    waiting = [medium for medium in plan.media if not is_placed(out, medium)]
    ended = run_each(partial(_place, out, placement), waiting, jobs)
    for medium, reason in tqdm(ended, total=len(waiting), unit='video', disable=None):
        report.made += reason is None
        if reason is not None:
            report.failed[str(medium.source)] = reason
    report.ready = sum(is_placed(out, medium) for medium in plan.media)
    _write_failures(out / FAILURES, report)
    return report


def _place(out: Path, placement: Placement, medium: Medium) -> None:
    place(out, medium, placement)


def _claim(out: Path, plan: Plan, state: dict, force: bool) -> None:
    """Make the folder ours, or refuse."""
    text = json.dumps(state, indent=2) + '\n'
    try:
        found = (out / STATE).read_text(encoding='utf-8')
    except FileNotFoundError:
        others = [name for name in plan.folders if (out / name).exists()]
        if others:
            raise PreparationError(
                f'{out} holds {others[0]}, which is not from here (no {STATE}): choose another --out'
            ) from None
        write_text(out / STATE, text)
        return
    if found == text and not force:
        return
    if not force:
        raise PreparationError(
            f'{out} was prepared with other options ({_differences(found, state)}): give the same '
            'ones, choose another --out, or replace what is there with --force'
        )
    if _loaded(found).get('data_set') != state['data_set']:
        raise PreparationError(f'{out} holds another data set: choose another --out')
    for name in plan.folders:
        for path in sorted((out / name).rglob('*')):
            is_frames = name == 'cropped_aligned' and path.parent == out / name
            if is_frames or path.suffix.lower() in _OWN_SUFFIXES and not path.is_dir():
                remove(path)
    write_text(out / STATE, text)


def _loaded(text: str) -> dict:
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {}


def _differences(found: str, state: dict) -> str:
    before = _loaded(found)
    old = before | before.get('options', {})
    new = state | state['options']
    return ', '.join(
        f'{name} {old.get(name)!r}, now {new.get(name)!r}'
        for name in sorted(old.keys() | new.keys())
        if name != 'options' and old.get(name) != new.get(name)
    )


def _remove_left_over(out: Path, plan: Plan) -> None:
    """Temporary files of a run that was killed."""
    for name in plan.folders:
        deep = '*' if name == 'cropped_aligned' else '**/*'
        for path in list((out / name).glob(deep)):
            if path.name.startswith('.') and '.tmp' in path.name:
                remove(path)


def _write_if_other(path: Path, content: bytes) -> None:
    if path.is_file() and path.read_bytes() == content:
        return
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def _not_there(out: Path, plan: Plan) -> dict[str, str]:
    """Missing videos that no earlier run from another download supplied."""
    return {
        target: reason
        for target, reason in plan.missing.items()
        if not is_placed(out, Medium(out, target))
    }


def _write_failures(path: Path, report: Report) -> None:
    content = dict(
        failed=dict(sorted(report.failed.items())),
        missing=report.missing,
        lacking=report.plan.lacking,
        unused=report.plan.unused,
    )
    if any(content.values()):
        _write_if_other(path, (json.dumps(content, indent=2) + '\n').encode())
    else:
        path.unlink(missing_ok=True)
