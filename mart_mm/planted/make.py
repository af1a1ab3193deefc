"""Write the planted data set: videos, subtitles, annotations and truth."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, fields
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from mart_mm.lexicon.senticnet import SenticNet6Lexicon
from mart_mm.planted.files import write_media_files
from mart_mm.planted.layouts import build_layout
from mart_mm.planted.options import Options
from mart_mm.planted.plans import FilePlan
from mart_mm.planted.plant import plan
from mart_mm.planted.truth import truth

#: raise it whenever the same options give other files
VERSION = 1
MANIFEST, TRUTH = 'manifest.json', 'truth.json'
_SESSIONS = tuple(f'Session{number}' for number in range(1, 6))
_OWN = ('annotations', 'videos', 'subtitles', 'cropped_aligned', *_SESSIONS, TRUTH, MANIFEST)
_ONE_THREAD = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS')


def make(
    out: str | Path,
    *,
    jobs: int = 1,
    force: bool = False,
    progress: bool = False,
    **options: object,
) -> Path:
    """Plant a data set; a finished one with the same options is left alone.

    With ``jobs`` above 1, the calling script needs ``if __name__ == '__main__':``.

    Args:
        out: Folder; made where missing.
        jobs: Processes; the files do not depend on it.
        force: Whether to make a finished data set again, and to replace one with other options.
        progress: Whether to show a progress bar.
        options: Fields of :class:`~mart_mm.planted.options.Options`, ``layout`` among them.

    Returns:
        The folder.

    Raises:
        ValueError: For an option out of range or unknown.
        FileExistsError: When the folder holds something else, or a data set with other options.
    """
    names = [field.name for field in fields(Options)]
    unknown = sorted(set(options) - set(names))
    if unknown:
        raise ValueError(f'unknown options {unknown}; valid ones are {", ".join(names)}')
    if jobs < 1:
        raise ValueError(f'jobs={jobs}: at least 1 process is needed')
    chosen = Options(**options)
    layout = build_layout(chosen)
    out = Path(out)
    manifest = dict(version=VERSION, options=asdict(chosen), is_complete=True)
    if _is_finished(out, manifest, force):
        return out
    for name in _OWN:
        target = out / name
        shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    _write_json(out / MANIFEST, dict(manifest, is_complete=False))

    lexicon = SenticNet6Lexicon()
    files = plan(layout, lexicon)
    _write_files(out, files, chosen, jobs, progress)
    layout.write_annotations(out, files)
    source = dict(name='SenticNet 6', digest=lexicon.digest)
    _write_json(out / TRUTH, dict(truth(chosen, layout.classes, files), lexicon=source))
    _write_json(out / MANIFEST, manifest)
    return out


def _is_finished(out: Path, manifest: dict, force: bool) -> bool:
    """Whether nothing is left to do.

    Raises:
        FileExistsError: When what is there must not be replaced unasked.
    """
    if not out.exists() or not any(out.iterdir()):
        return False
    try:
        found = json.loads((out / MANIFEST).read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise FileExistsError(
            f'{out} is not empty and holds no planted data set: choose another folder'
        ) from None
    if force:
        return False
    # an option that is newer than the folder had its default then
    found['options'] = asdict(Options()) | found['options']
    if dict(found, is_complete=True) != manifest:
        raise FileExistsError(
            f'{out} holds a planted data set with other options ({found["options"]}): choose '
            'another folder, or replace it with --force'
        )
    return found['is_complete']


def _write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content) + '\n', encoding='utf-8')


def _write_files(
    out: Path, files: Sequence[FilePlan], options: Options, jobs: int, progress: bool
) -> None:
    with _workers(min(jobs, len(files))) as mapped:
        done = mapped(write_media_files, files, [out] * len(files), [options] * len(files))
        for _ in tqdm(done, total=len(files), unit='video', disable=not progress):
            pass


@contextmanager
def _workers(jobs: int) -> Iterator:
    """A ``map`` over processes, each with one thread of its own; plain ``map`` for one job."""
    if jobs == 1:
        yield map
        return
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    # read when a new process loads its libraries
    os.environ.update(dict.fromkeys(_ONE_THREAD, '1'))
    try:
        with ProcessPoolExecutor(jobs, mp_context=get_context('spawn')) as pool:
            yield lambda *arguments: pool.map(*arguments, chunksize=2)
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
