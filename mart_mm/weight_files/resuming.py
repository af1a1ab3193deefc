"""The checkpoint to go on from: the newest one that is whole."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.logging import print_log

from mart_mm.errors import NothingToResumeError, WeightsError
from mart_mm.weight_files.opening import open_checkpoint

#: names its newest checkpoint, written by MMEngine
POINTER = 'last_checkpoint'
_STEP = re.compile(r'(.*?)(\d+)\.pth')
#: what a run goes on from
_NEEDED = ('meta', 'state_dict', 'message_hub')


class _Saved(NamedTuple):
    """A checkpoint by its name and time."""

    time: int
    step: int
    kind: str
    path: Path


def newest_whole(work_dir: str | Path) -> str | None:
    """The newest checkpoint of a run that can be resumed from; all processes get the same answer.

    Looked at are the file that ``last_checkpoint`` names, and the numbered ones beside it and in the
    work directory. Each that is skipped is logged with the reason.

    Args:
        work_dir: The run's.

    Returns:
        Its path, None where the run has not saved any.

    Raises:
        NothingToResumeError: When there are some and none is whole, with the remedy.
    """
    answer: list[str | None] = [None, None]
    if is_main_process():
        try:
            answer[0] = _find(Path(work_dir))
        except NothingToResumeError as error:
            answer[1] = str(error)
    broadcast_object_list(answer)
    found, reason = answer
    if reason:
        raise NothingToResumeError(reason)
    return found


def check_resumable(path: str | Path, content: object) -> None:
    """Refuse weights without the place in training.

    Raises:
        WeightsError: Saying what is lacking.
    """
    lacking = [key for key in _NEEDED if not isinstance(content, dict) or key not in content]
    if not lacking:
        meta = content['meta'] if isinstance(content['meta'], dict) else {}
        lacking = [f'meta.{key}' for key in ('epoch', 'iter') if not isinstance(meta.get(key), int)]
    if lacking:
        raise WeightsError(
            f'{path} holds no {", ".join(lacking)}: a run cannot go on from it; start one from its '
            f'weights with --cfg-options load_from={path}'
        )


def _find(work_dir: Path) -> str | None:
    skipped = []
    for path in _candidates(work_dir):
        try:
            check_resumable(path, open_checkpoint(path, 'cpu'))
        except (OSError, WeightsError) as error:
            print_log(f'skipped: {error}', logger='current', level=logging.WARNING)
            skipped.append(f'  {error}')
            continue
        return str(path)
    if skipped:
        raise NothingToResumeError(
            f'none of the {len(skipped)} checkpoints of {work_dir} can be resumed from: give a whole '
            'one (--resume FILE), or leave --resume away to begin again:\n' + '\n'.join(skipped)
        )
    return None


def _candidates(work_dir: Path) -> Iterator[Path]:
    """Checkpoints, the newest first."""
    work_dir = work_dir.resolve()
    named = _named(work_dir / POINTER)
    folders = {work_dir, named.parent} if named else {work_dir}
    saved = sorted((s for folder in folders for s in _saved(folder)), reverse=True)
    last = next((s for s in saved if named and s.path == named), None)
    if last:  # of a run that began again, others may have higher numbers
        newer = [s for s in saved if s.kind == last.kind and s.step > last.step and s > last]
        saved = [*newer, last, *(s for s in saved if s is not last and s not in newer)]
    elif named:
        yield named  # of another name, or missing and said to be
    yield from (s.path for s in saved)


def _named(pointer: Path) -> Path | None:
    """What ``last_checkpoint`` names; the file beside it where the run's folder was moved or copied."""
    try:
        path = Path(pointer.read_text(encoding='utf-8').strip())
        beside = pointer.with_name(path.name)  # a ValueError where it names nothing
        return (beside if beside.exists() else path).resolve()
    except (OSError, ValueError):
        return None


def _saved(folder: Path) -> Iterator[_Saved]:
    for path in folder.glob('*.pth'):
        match = _STEP.fullmatch(path.name)
        if match and not path.name.startswith(('.', 'best_')) and path.is_file():
            yield _Saved(path.stat().st_mtime_ns, int(match[2]), match[1], path)
