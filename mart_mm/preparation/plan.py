"""What a layout wants done: which file of a download goes where."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


class PreparationError(ValueError):
    """The download or an option is not usable; the message says what to do."""


@dataclass(frozen=True)
class Medium:
    """A video, or a folder of cropped frames, and its place.

    Attributes:
        source: In the download.
        target: Below the prepared folder; of a video without suffix, which the engine adds.
        is_folder: Whether it is a folder.
    """

    source: Path
    target: str
    is_folder: bool = False


@dataclass
class Plan:
    """Everything a data set needs.

    Attributes:
        folders: The folders below the prepared one that are the preparation's own.
        media: Videos and folders of frames.
        annotations: Path below the prepared folder -> content; made anew when it differs.
        subtitles: Path below the prepared folder -> file; one that is there already stays.
        missing: Place of a video that the lists name -> why the download does not give it.
        lacking: What the data set cannot do without, and how to get it.
        unused: Videos that no list names, below the download.
        notes: Lines worth reading.
    """

    folders: tuple[str, ...]
    media: list[Medium] = field(default_factory=list)
    annotations: dict[str, bytes] = field(default_factory=dict)
    subtitles: dict[str, Path] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    lacking: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
