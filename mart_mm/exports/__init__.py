"""An emotion report as files that annotators' tools, spreadsheets and players read.

``FORMATS`` lists them; :func:`write_exports` writes those that are named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from mart_mm.errors import unknown_name
from mart_mm.exports.elan import write_elan
from mart_mm.exports.label_studio import write_label_studio
from mart_mm.exports.names import safe_stem
from mart_mm.exports.subtitles import write_subtitles
from mart_mm.exports.tables import write_tables
from mart_mm.structures.emotion_report import EmotionReport


class ExportFormat(NamedTuple):
    """A kind of file that a report can become.

    Attributes:
        write: Takes the report, the path of the (main) file and the path of the video or None, and
            gives the paths of all files it wrote, the main one first.
        suffix: Of the main file, after the video's name.
        media_type: Of the main file, for HTTP.
        needs_media: Whether the video itself must be given.
    """

    write: Callable[[EmotionReport, Path, Path | None], list[Path]]
    suffix: str
    media_type: str
    needs_media: bool = False


def _write_json(report: EmotionReport, path: Path, media_path: Path | None = None) -> list[Path]:
    return [report.save(path)]


def _write_overlay(report: EmotionReport, path: Path, media_path: Path | None) -> list[Path]:
    from mart_mm.exports.overlay import write_overlay  # heavy: av, matplotlib

    return write_overlay(report, path, media_path)


# No suffix is a bare .srt or .json: beside a video those are its transcript.
FORMATS: dict[str, ExportFormat] = {
    'json': ExportFormat(_write_json, '.emotion.json', 'application/json'),
    'csv': ExportFormat(write_tables, '.emotion.csv', 'text/csv'),
    'srt': ExportFormat(write_subtitles, '.emotion.srt', 'application/x-subrip'),
    'eaf': ExportFormat(write_elan, '.emotion.eaf', 'text/x-eaf+xml'),
    'labelstudio': ExportFormat(write_label_studio, '.labelstudio.json', 'application/json'),
    'overlay': ExportFormat(_write_overlay, '.overlay.mp4', 'video/mp4', needs_media=True),
}


def write_exports(
    report: EmotionReport,
    media_path: str | Path | None,
    out_dir: str | Path,
    formats: Iterable[str],
    stem: str | None = None,
) -> list[Path]:
    """Write a report in several formats.

    An older file of the same name is replaced.

    Args:
        report: Of one video.
        media_path: The video; None where it is not at hand. The formats that ``needs_media`` names
            are then refused, and an ELAN file links a video beside itself.
        out_dir: Made where missing.
        formats: Names of ``FORMATS``.
        stem: That names of files begin with; None takes the name of the report's video, made safe for
            every file system.

    Returns:
        The files, in the order of ``formats``.

    Raises:
        ValueError: For an unknown format, or one that needs the video where none is given.
        FileNotFoundError: When there is no file at ``media_path``.
        MediaError: When the video cannot be read for the overlay.
    """
    names = list(dict.fromkeys(formats))
    for name in names:
        if name not in FORMATS:
            raise ValueError(unknown_name('export format', name, FORMATS))
        if FORMATS[name].needs_media and media_path is None:
            raise ValueError(f'export format {name!r} is drawn on the video: give media_path')
    media = None if media_path is None else Path(media_path)
    if media is not None and not media.is_file():
        raise FileNotFoundError(f'{media}: no such video; give the one that the report is of')
    folder = Path(out_dir)
    folder.mkdir(parents=True, exist_ok=True)
    stem = stem or safe_stem(report.video or (media.name if media else ''))
    written: list[Path] = []
    for name in names:
        form = FORMATS[name]
        written += form.write(report, folder / f'{stem}{form.suffix}', media)
    return written
