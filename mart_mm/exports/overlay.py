"""A video with the course of its emotion drawn below the picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from mart_mm.datasets.media.faults import reason_of
from mart_mm.datasets.media.frame_table import FrameTable
from mart_mm.datasets.media.streams import find_video_stream
from mart_mm.errors import MediaError
from mart_mm.exports.strip import EmotionStrip
from mart_mm.preparation.recode import add_sounds, clock_of, copy_colours, recode
from mart_mm.preparation.small_copy import NO_SPACE, frame_table
from mart_mm.structures.emotion_report import EmotionReport
from mart_mm.utils.atomic import replacing

_CRF = 18  # of x264: hardly a difference is seen
_KEY_SECONDS = 2  # between key frames, so that players jump quickly
#: FFmpeg's decoders of sound that players expect in mp4
_KEPT_SOUND = frozenset(
    ('aac', 'mp3', 'mp3float', 'ac3', 'eac3', 'alac', 'flac', 'opus', 'libopus')
)
#: FFmpeg's matrix of a stream -> that of its scaler
_MATRICES = {
    1: Colorspace.ITU709, 4: Colorspace.FCC, 5: Colorspace.ITU601, 6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M, 9: Colorspace.BT2020,
}  # fmt: skip
_RGB = 0  # a "matrix" that h264 in yuv420p cannot have


def write_overlay(report: EmotionReport, path: str | Path, media_path: str | Path) -> list[Path]:
    """Write the video again as mp4, with :class:`~mart_mm.exports.strip.EmotionStrip` below.

    All frames keep their times, so a variable frame rate stays; where a file starts late, as
    broadcasts do, pictures and sound are moved to the front together. A rotation tag is applied, and a
    picture with an odd side becomes one pixel larger. Sound that players expect in mp4 is copied
    as it is, other sound is encoded as AAC. Picture by picture: memory does not grow with the
    video's length.

    Args:
        report: Of this video, with segments.
        path: Ending in ``.mp4``.
        media_path: The video.

    Raises:
        ValueError: When the report has no segments.
        MediaError: When the video cannot be read to its end.
        OSError: When the disk is full.
    """
    if not report.segments:
        raise ValueError(f'{report.video or "the report"}: segments: none, so no curve to draw')
    path, source = Path(path), str(media_path)
    try:
        table = frame_table(source)
        with (
            replacing(path) as temporary,
            av.open(source, metadata_errors='replace') as old,
            av.open(str(temporary), 'w', options={'movflags': '+faststart'}) as new,
        ):
            count = _copy(report, old, new, table)
            if count < len(table.times):
                raise MediaError(
                    source, f'damaged: {count} of {len(table.times)} frames can be decoded'
                )
    except av.FFmpegError as error:
        if error.errno in NO_SPACE:
            raise OSError(error.errno, 'no space left for', str(path)) from error
        raise MediaError(source, f'cannot be read as video ({reason_of(error)})') from error
    return [path]


def _copy(
    report: EmotionReport,
    old: av.container.InputContainer,
    new: av.container.OutputContainer,
    table: FrameTable,
) -> int:
    """Write the streams; the number of frames written."""
    stream = find_video_stream(old)
    stream.thread_type = 'AUTO'
    rate, base = clock_of(stream, table)
    origin = Fraction(max(0, old.start_time or 0), av.time_base)  # seconds
    painter = _Painter(report, table, stream)
    encoder = _add_encoder(new, stream, painter, rate, base)
    sounds = add_sounds(old, new, float(origin), _KEPT_SOUND)
    first = round(origin / base)
    return recode(old, new, stream, encoder, sounds, table, painter.paint, base=base, first=first)


def _add_encoder(
    container: av.container.OutputContainer,
    source: av.VideoStream,
    painter: _Painter,
    rate: Fraction,
    base: Fraction,
) -> av.VideoStream:
    encoder = container.add_stream('libx264', rate=rate)
    encoder.width, encoder.height = painter.size
    encoder.pix_fmt, encoder.gop_size = 'yuv420p', max(1, round(_KEY_SECONDS * rate))
    encoder.codec_context.time_base = base
    copy_colours(encoder, source)
    if painter.is_rgb:
        encoder.codec_context.colorspace = int(painter.matrix)
        encoder.codec_context.color_range = int(painter.range)
    shape = source.sample_aspect_ratio
    if shape:
        encoder.codec_context.sample_aspect_ratio = 1 / shape if painter.turns % 2 else shape
    encoder.options = {'crf': str(_CRF), 'preset': 'veryfast'}
    return encoder


class _Painter:
    """Puts the strip below pictures, which keep their own planes of light and colour."""

    def __init__(self, report: EmotionReport, table: FrameTable, source: av.VideoStream) -> None:
        self.stored = tuple(side + side % 2 for side in table.size)  # (width, height)
        self.turns = round(table.rotation / 90) % 4
        width, height = self.stored[::-1] if self.turns % 2 else self.stored
        self._strip = EmotionStrip(report, width, height, table.duration)
        self.size = (width, height + self._strip.height)
        colours = source.codec_context
        self.is_rgb = colours.colorspace == _RGB
        usual = Colorspace.ITU709 if self.is_rgb or min(table.size) >= 720 else Colorspace.ITU601
        self.matrix = _MATRICES.get(colours.colorspace, usual)
        is_full = colours.color_range == ColorRange.JPEG and not self.is_rgb
        self.range = ColorRange.JPEG if is_full else ColorRange.MPEG
        self._to_picture, self._to_strip = VideoReformatter(), VideoReformatter()

    def paint(self, frame: av.VideoFrame, seconds: float) -> av.VideoFrame:
        """A picture with the strip of its time, upright."""
        goal = dict(dst_colorspace=self.matrix, dst_color_range=self.range)
        above = self._to_picture.reformat(
            frame, *self.stored, 'yuv420p', **(goal if self.is_rgb else {})
        )
        strip = av.VideoFrame.from_ndarray(self._strip.at(seconds), format='rgb24')
        below = self._to_strip.reformat(strip, format='yuv420p', **goal)
        planes = [
            np.concatenate((np.rot90(upper, self.turns), lower))
            for upper, lower in zip(_planes(above), _planes(below), strict=True)
        ]
        flat = np.concatenate([plane.ravel() for plane in planes])
        width, height = self.size
        return av.VideoFrame.from_ndarray(flat.reshape(height * 3 // 2, width), format='yuv420p')


def _planes(frame: av.VideoFrame) -> list[np.ndarray]:
    """(H, W) and twice (H / 2, W / 2) of a yuv420p picture."""
    width, height = frame.width, frame.height
    flat, light, colour = frame.to_ndarray().ravel(), width * height, width * height // 4
    shape = (height // 2, width // 2)
    return [
        flat[:light].reshape(height, width),
        flat[light : light + colour].reshape(shape),
        flat[light + colour :].reshape(shape),
    ]
