"""Inference from the command line: reports, pictures and exports of videos in a folder."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from mmengine.logging import print_log

from mart_mm.apis.inference.inputs import Source, list_videos, transcripts_for
from mart_mm.apis.inference.outcome import Outcome
from mart_mm.apis.inference.writing import write_outcome
from mart_mm.apis.inferencer import MARTInferencer
from mart_mm.errors import MediaError, unknown_name
from mart_mm.exports import FORMATS, write_exports
from mart_mm.utils.atomic import write_text

FAILURES = 'failures.json'
#: exit status: all videos done, some could not be read, nothing could be begun
DONE, SOME_FAILED, WRONG_ARGUMENTS = 0, 1, 2


def infer(
    inputs: Source | Sequence[Source],
    model: str | os.PathLike,
    weights: str | os.PathLike | None = None,
    out_dir: str | os.PathLike = 'outputs',
    device: str | None = None,
    batch_size: int = 1,
    transcript: str | os.PathLike | None = None,
    formats: Sequence[str] = ('json',),
    picture: bool = True,
    masks: bool = False,
) -> int:
    """Write the report of each video, and say what was done.

    Each video's files are written when it is done. What could not be read is listed with the reason in
    ``failures.json``.

    Args:
        inputs: Videos, or folders of them.
        model: A checkpoint, or a config or its name with ``weights``.
        weights: A checkpoint.
        out_dir: Folder of the results.
        device: Default: the GPU if there is one.
        batch_size: Windows predicted together.
        transcript: A subtitle file for the one video, or a folder with files named as the videos.
        formats: Some of :data:`mart_mm.exports.FORMATS`.
        picture: Whether a picture of each report is written.
        masks: Whether reports say what MART's masker picks, where the model has one.

    Returns:
        Exit status: 0 when all is done, 1 when some videos failed, 2 when nothing could be begun.
    """
    try:
        for name in formats:
            if name not in FORMATS:
                raise ValueError(unknown_name('format', name, FORMATS))
        videos = list_videos(inputs)
        transcripts_for(transcript, videos)
        inferencer = MARTInferencer(model, weights, device, masks=masks)
    except (ValueError, TypeError, KeyError, FileNotFoundError) as error:
        print_log(f'error: {error}', logger='current', level=logging.ERROR)
        return WRONG_ARGUMENTS
    failures: dict[str, str] = {}
    for outcome in inferencer.preprocess(videos, batch_size, transcript=transcript):
        reason = outcome.failed or _write(outcome, Path(out_dir), formats, picture)
        if reason:
            failures[outcome.path] = reason
    _write_failures(Path(out_dir) / FAILURES, failures)
    print_log(
        f'{len(videos) - len(failures)} of {len(videos)} videos done, results in {out_dir}'
        + (f'; {len(failures)} failed, see {Path(out_dir) / FAILURES}' if failures else ''),
        logger='current',
    )
    return SOME_FAILED if failures else DONE


def _write(outcome: Outcome, out_dir: Path, formats: Sequence[str], picture: bool) -> str:
    """Write what is asked for of a video; why something could not be written, or nothing."""
    try:
        write_outcome(outcome, out_dir, picture, report='json' in formats)
        others = [name for name in formats if name != 'json']
        if others:
            source = outcome.video.source
            media = source if isinstance(source, Path) else None
            place = outcome.place(out_dir, '')
            place.parent.mkdir(parents=True, exist_ok=True)
            write_exports(outcome.report, media, place.parent, others, place.name)
    except (MediaError, OSError, ValueError) as error:
        print_log(
            f'{outcome.path}: not all is written: {error}', logger='current', level=logging.WARNING
        )
        return f'not all is written: {error}'
    return ''


def _write_failures(path: Path, failures: dict[str, str]) -> None:
    """The list of failures; one of an earlier run is removed when there are none."""
    if not failures:
        path.unlink(missing_ok=True)
        return
    try:
        write_text(path, json.dumps(failures, indent=1, ensure_ascii=False))
    except OSError as error:  # each has been told when it failed
        print_log(f'{path} is not written: {error}', logger='current', level=logging.WARNING)
