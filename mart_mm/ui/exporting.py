"""Exports of a report as one file each."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path

from mart_mm.structures.emotion_report import EmotionReport

#: made by a job; the others are made while one waits
SLOW_FORMATS = frozenset({'overlay'})


def formats() -> tuple[str, ...]:
    """Names of the formats."""
    from mart_mm.exports import FORMATS

    return tuple(FORMATS)


def export(report: EmotionReport, media: Path, folder: Path, name: str) -> Path:
    """The file of a format, made on the first call; several files are packed into a .zip.

    Args:
        report: What is exported.
        media: Its video.
        folder: Where exports of this report are kept.
        name: One of :func:`formats`.
    """
    made = folder / name
    if not made.is_dir():
        _make(report, media, made)
    return next(made.iterdir())


def is_made(folder: Path, name: str) -> bool:
    """Whether :func:`export` would return at once."""
    return (folder / name).is_dir()


def _make(report: EmotionReport, media: Path, made: Path) -> None:
    from mart_mm.exports import write_exports

    made.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=made.parent, prefix='.'))
    try:
        files, single = work / 'files', work / 'single'
        files.mkdir(), single.mkdir()
        write_exports(report, media, files, [made.name])
        written = sorted(path for path in files.rglob('*') if path.is_file())
        if len(written) == 1:
            written[0].rename(single / f'export{written[0].suffix}')
        else:
            with zipfile.ZipFile(single / 'export.zip', 'w', zipfile.ZIP_DEFLATED) as archive:
                for path in written:
                    archive.write(path, path.relative_to(files))
        try:
            single.rename(made)
        except OSError:
            if not made.is_dir():  # another request was quicker
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
