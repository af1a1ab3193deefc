"""What inference is given, as a list of videos with a name each."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mart_mm.datasets.base import VIDEO_SUFFIXES
from mart_mm.datasets.media.video_arrays import VideoArrays
from mart_mm.lexicon.transcript import find_sidecar

Source = str | os.PathLike | VideoArrays | Mapping
MEDIA_SUFFIXES = (*VIDEO_SUFFIXES, '.m4v', '.mpg', '.mpeg', '.ts', '.mts', '.3gp', '.ogv')


class Video(NamedTuple):
    """A video to be looked at.

    Attributes:
        source: Its file, or what it is in memory.
        name: File name, or the arrays' own name.
        stem: Of what is written about it: relative, without suffix, one for each video.
    """

    source: Path | VideoArrays
    name: str
    stem: str


def list_videos(inputs: Source | Sequence[Source]) -> list[Video]:
    """Videos of files, folders and arrays, in their order.

    Args:
        inputs: A video file, a folder (all videos in it and below, by suffix), arrays
            (:class:`~mart_mm.datasets.media.video_arrays.VideoArrays`, or a dict of its fields), or a
            list of these.

    Raises:
        ValueError: When there is nothing, with what a video looks like.
        TypeError: For inputs of another kind, or a dict with unknown fields.
    """
    several = isinstance(inputs, (list, tuple)) and not isinstance(inputs, VideoArrays)
    found: list[tuple[Path | VideoArrays, str, Path]] = []
    for source in inputs if several else [inputs]:
        found += _expand(source, len(found))
    if not found:
        raise ValueError(
            f'{inputs!r}: no video there; files of a folder are taken by their suffix, one of '
            f'{", ".join(MEDIA_SUFFIXES)}'
        )
    return [
        Video(source, name, stem)
        for (source, name, _), stem in zip(found, _stems(found), strict=True)
    ]


def _expand(source: Source, number: int) -> list[tuple[Path | VideoArrays, str, Path]]:
    if isinstance(source, Mapping):
        source = VideoArrays(**source)
    if isinstance(source, VideoArrays):
        name = source.name or f'video_{number}'
        return [(source, source.name, Path(Path(name).name))]
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(
            f'{type(source).__name__} is no input: give a path, VideoArrays(frames, fps), or a list'
        )
    path = Path(source)
    if not path.is_dir():
        return [(path, path.name, Path(path.name))]
    files = sorted(
        file for file in path.rglob('*') if file.suffix.lower() in MEDIA_SUFFIXES and file.is_file()
    )
    return [(file, file.name, file.relative_to(path)) for file in files]


def _stems(found: Sequence[tuple[object, str, Path]]) -> list[str]:
    """Relative names without suffix; with it, and then a number, where they would be the same.

    Names that differ in case only are the same: not every file system tells them apart.
    """
    short = Counter(str(place.with_suffix('')).casefold() for _, _, place in found)
    taken: set[str] = set()
    stems = []
    for _, _, place in found:
        name = str(place.with_suffix(''))
        if short[name.casefold()] > 1:
            name = str(place)
        stem, number = name, 1
        while stem.casefold() in taken:
            number += 1
            stem = f'{name}_{number}'
        taken.add(stem.casefold())
        stems.append(stem)
    return stems


def transcripts_for(
    transcript: str | os.PathLike | None, videos: Sequence[Video]
) -> list[Path | None]:
    """The transcript given for each video.

    Args:
        transcript: A subtitle file for the one video, or a folder with files named as the videos;
            None for none.
        videos: The videos.

    Returns:
        None for each for which none is given.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When one file is given for several videos.
    """
    if transcript is None:
        return [None] * len(videos)
    path = Path(transcript)
    if path.is_dir():
        return [find_sidecar(path / video.stem) for video in videos]
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such transcript: give a subtitle file or a folder')
    if len(videos) > 1:
        raise ValueError(
            f'{path} is one transcript for {len(videos)} videos: give a folder with a file for each'
        )
    return [path]
