"""The files of one video, blemishes included."""

from __future__ import annotations

from pathlib import Path

from mart_mm.utils.media_writer import write_video
from tools.data.planted.plant import Options, VideoPlan
from tools.data.planted.render_audio import SAMPLE_RATE, render_sound
from tools.data.planted.render_visual import frame_times, render_frames
from tools.data.planted.render_words import write_srt

_CRF = 23  # x264's own default
_KEPT_SHARE = 0.6  # of a truncated file; the index of an mp4 is at its end, so it opens nowhere


def write_video_files(plan: VideoPlan, out: Path, options: Options) -> str:
    """Draw a video and write its .mp4 and .srt.

    Args:
        plan: What is planted.
        out: Folder of the data set.
        options: Of the data set.

    Returns:
        The video's name.
    """
    times, is_variable = frame_times(plan, options)
    path = out / 'videos' / f'{plan.name}.mp4'
    write_video(
        path,
        render_frames(plan, options, times),
        options.fps,
        audio=None if plan.blemish == 'silent' else render_sound(plan, options),
        sample_rate=SAMPLE_RATE,
        times=times.tolist() if is_variable else None,
        crf=_CRF,
    )
    if plan.blemish == 'truncated':
        content = path.read_bytes()
        path.write_bytes(content[: int(_KEPT_SHARE * len(content))])
    lines = [segment.line for segment in plan.segments if segment.line is not None]
    if lines:
        write_srt(out / 'subtitles' / f'{plan.name}.srt', lines)
    return plan.name
