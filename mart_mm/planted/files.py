"""One media file and what lies beside it, blemishes included."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mart_mm.planted.options import Options
from mart_mm.planted.plans import FilePlan
from mart_mm.planted.randomness import generator
from mart_mm.planted.render_audio import SAMPLE_RATE, render_sound
from mart_mm.planted.render_visual import frame_times, render_frames
from mart_mm.planted.render_words import write_srt
from mart_mm.utils.media_writer import write_video

_CRF = 23  # x264's own default
_KEPT_SHARE = 0.6  # of a truncated file; the index of an mp4 is at its end, so it opens nowhere
_FACELESS_SHARE = 0.1  # of the frames of a face folder


def write_media_files(plan: FilePlan, out: Path, options: Options) -> str:
    """Draw a video and write it, its subtitles and its folder of frames.

    Args:
        plan: What is planted.
        out: Folder of the data set.
        options: Of the data set.

    Returns:
        The video's path below the folder.
    """
    times, is_variable = frame_times(plan, options)
    path = out / plan.video
    frames = render_frames(plan, options, times)
    write_video(
        path,
        frames,
        options.fps,
        audio=None if plan.blemish == 'silent' else render_sound(plan, options),
        sample_rate=SAMPLE_RATE,
        times=times.tolist() if is_variable else None,
        crf=_CRF,
    )
    if plan.blemish == 'truncated':
        content = path.read_bytes()
        path.write_bytes(content[: int(_KEPT_SHARE * len(content))])
    lines = [line for record in plan.records for line in record.lines]
    if lines and plan.subtitles is not None:
        write_srt(out / plan.subtitles, lines)
    if plan.faces is not None:
        _write_faces(out / plan.faces, frames, generator(options, plan.split, plan.index, 'layout'))
    return plan.video


def _write_faces(folder: Path, frames: np.ndarray, rng: np.random.Generator) -> None:
    """Frames as numbered pictures, some missing, as where no face was found."""
    is_missing = rng.random(len(frames)) < _FACELESS_SHARE
    is_missing[rng.integers(len(frames))] = True
    folder.mkdir(parents=True)
    for index in np.flatnonzero(~is_missing):
        cv2.imwrite(str(folder / f'{index + 1:05d}.jpg'), frames[index, ..., ::-1])
