"""Put one video or one folder of frames into its place."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pysubs2

from mart_mm.datasets.base import VIDEO_SUFFIXES
from mart_mm.errors import MediaError
from mart_mm.lexicon.container_subtitles import read_container_subtitles
from mart_mm.lexicon.transcript import TranscriptError
from mart_mm.preparation.plan import Medium
from mart_mm.preparation.small_copy import NO_SPACE, frame_table, write_small_copy
from mart_mm.utils.atomic import replacing, write_text

LINKS = ('sym', 'hard', 'copy')


@dataclass(frozen=True)
class Placement:
    """How media get into the prepared folder.

    Attributes:
        link: One of ``LINKS``, for what stays unchanged.
        short_side: Of the small copies, pixels; None leaves videos unchanged.
        gop: Of the small copies, frames between key frames.
    """

    link: str = 'sym'
    short_side: int | None = None
    gop: int = 12


def is_placed(out: Path, medium: Medium) -> bool:
    """Whether nothing is left to do; a link whose file is gone does not count."""
    target = out / medium.target
    if medium.is_folder:
        return target.is_dir()
    return any(Path(f'{target}{suffix}').is_file() for suffix in VIDEO_SUFFIXES)


def place(out: Path, medium: Medium, placement: Placement) -> None:
    """Check a medium and link, copy or encode it; whole or not at all.

    Beside a small copy lies an .srt file with the subtitles that are inside the video.

    Args:
        out: The prepared folder.
        medium: What, and its place.
        placement: How.

    Raises:
        MediaError: When the video is damaged, the folder holds no frame, or the data set would not
            find the video by its suffix.
        OSError: When the link cannot be made or the disk is full.
    """
    if medium.is_folder:
        _place_folder(medium.source, out / medium.target, placement.link)
        return
    if placement.short_side is not None:
        with replacing(f'{out / medium.target}.mp4') as temporary:
            write_small_copy(medium.source, temporary, placement.short_side, placement.gop)
            _keep_subtitles(medium.source, Path(f'{out / medium.target}.srt'))
        return
    suffix = medium.source.suffix.lower()
    if suffix not in VIDEO_SUFFIXES:
        raise MediaError(
            str(medium.source),
            f'the data sets read {", ".join(VIDEO_SUFFIXES)}; a copy by --short-side is an .mp4',
        )
    frame_table(medium.source)
    with replacing(f'{out / medium.target}{suffix}') as temporary:
        temporary.unlink()
        _link(medium.source, temporary, placement.link)


def _keep_subtitles(source: Path, target: Path) -> None:
    """Write the text subtitles inside a video beside its copy, which has no room for all kinds."""
    try:
        lines = read_container_subtitles(source)
    except TranscriptError:  # none that can be read
        lines = []
    if lines:
        subtitles = pysubs2.SSAFile()
        for line in lines:
            start, end = (round(1000 * seconds) for seconds in (line.start, line.end))
            subtitles.append(pysubs2.SSAEvent(start, end, text=line.text))
        write_text(target, subtitles.to_string('srt'))


def _link(source: Path, target: Path, link: str) -> None:
    try:
        if link == 'sym':
            target.symlink_to(source.resolve())
        elif link == 'hard':
            os.link(source.resolve(), target)
        else:
            shutil.copy2(source, target)
    except OSError as error:
        if link == 'copy' and error.errno not in NO_SPACE:
            raise MediaError(str(source), f'cannot be copied ({error.strerror})') from error
        hint = '; use --link sym or --link copy' if link == 'hard' else ''
        raise OSError(error.errno, f'--link {link}: {error.strerror}{hint}', str(source)) from error


def _place_folder(source: Path, target: Path, link: str) -> None:
    if not any(entry.is_file() for entry in os.scandir(source)):
        raise MediaError(str(source), 'the folder holds no frame')
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f'.{target.name}.tmp'
    remove(temporary)
    remove(target)
    if link == 'sym':
        _link(source, temporary, link)
    else:
        temporary.mkdir()
        for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
            if entry.is_file() and not entry.name.startswith('.'):
                _link(Path(entry.path), temporary / entry.name, link)
    os.replace(temporary, target)


def remove(path: Path) -> None:
    """Delete a file, a link or a folder, if there is one; what a link leads to stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
