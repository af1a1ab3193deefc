"""A small copy of a video: the same frames at the same times and the same sound, quicker to read."""

from __future__ import annotations

import errno
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from mart_mm.datasets.media.backends import scaled_size
from mart_mm.datasets.media.faults import media_faults, open_media, reason_of
from mart_mm.datasets.media.frame_table import FrameTable, scan_frames
from mart_mm.datasets.media.streams import find_video_stream
from mart_mm.errors import MediaError
from mart_mm.preparation.recode import add_sounds, clock_of, copy_colours, recode

_CRF = 20  # of x264; a small picture shows its artefacts more than a large one
_TURNS = {90: ['cclock'], 180: ['cclock', 'cclock'], 270: ['clock']}
#: errors of the disk, not of a file
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def write_small_copy(source: str | Path, target: str | Path, short_side: int, gop: int) -> None:
    """Encode a video again as h264 and AAC in mp4.

    Every frame that :class:`~mart_mm.datasets.media.video_reader.VideoReader` sees is kept, at its
    time after the first one, which is 0 in the copy; a rotation tag is applied. All streams of sound
    are kept, see :class:`~mart_mm.preparation.sound_copy.SoundCopy`.

    Args:
        source: The video.
        target: Path ending in ``.mp4``.
        short_side: Pixels; a video that is smaller keeps its size.
        gop: Frames between key frames.

    Raises:
        MediaError: When the video is damaged, or the copy turns out to differ from it.
        OSError: When the disk is full.
    """
    try:
        table = frame_table(source)
        with (
            av.open(str(source), metadata_errors='replace') as old,
            av.open(str(target), 'w') as new,
        ):
            written = _copy(old, new, table, short_side, gop)
        count = len(table.times)
        if written < count:
            raise MediaError(str(source), f'damaged: {written} of {count} frames can be decoded')
        copied = frame_table(target).times
    except (av.FFmpegError, ValueError, OSError) as error:
        if getattr(error, 'errno', None) in NO_SPACE:
            raise OSError(error.errno, 'no space left for', str(target)) from error
        raise MediaError(str(source), f'cannot be read as video ({reason_of(error)})') from error
    if len(copied) != count or np.abs(copied - table.times).max() > 1e-4:
        raise MediaError(str(source), 'its frame times cannot be kept in mp4')


def frame_table(path: str | Path) -> FrameTable:
    """Times of a video's frames.

    Raises:
        MediaError: When it cannot be opened, has none, or is cut.
    """
    what = 'cannot be read as video'
    with media_faults(path, what), open_media(path, what) as container:
        stream = find_video_stream(container)
        if stream is None:
            raise MediaError(str(path), 'the file has no video stream')
        return scan_frames(str(path), container, stream)


def _copy(
    old: av.container.InputContainer,
    new: av.container.OutputContainer,
    table: FrameTable,
    short_side: int,
    gop: int,
) -> int:
    """Write the streams; the number of frames written."""
    stream = find_video_stream(old)
    stream.thread_count = 1  # the files are done in parallel
    rate, base = clock_of(stream, table)
    first = table.stamps[0] if table.stamps else 0
    turn = _TURNS.get(round(table.rotation / 90) * 90 % 360, [])
    size = scaled_size(*table.size, min(short_side, *table.size))

    encoder = new.add_stream('libx264', rate=rate)
    encoder.width, encoder.height = size[::-1] if len(turn) == 1 else size
    encoder.pix_fmt, encoder.gop_size, encoder.thread_count = 'yuv420p', gop, 1
    encoder.codec_context.time_base = base
    copy_colours(encoder, stream)
    # scene cuts and macroblock trees would make key frames and bytes depend on more than the content
    settings = 'scenecut=0:mbtree=0'
    encoder.options = {'crf': str(_CRF), 'preset': 'veryfast', 'x264-params': settings}
    zero = float(first * base) if table.stamps else _first_stored(old, stream)
    sounds = add_sounds(old, new, zero)
    reformatter, turned = VideoReformatter(), _turner(turn, base)

    def paint(frame: av.VideoFrame, _: float) -> av.VideoFrame:
        return turned(reformatter.reformat(frame, *size, 'yuv420p'))

    return recode(old, new, stream, encoder, sounds, table, paint, base=base, first=first)


def _first_stored(container: av.container.InputContainer, stream: av.VideoStream) -> float | None:
    """Earliest time stamp, in seconds, of a file that has few or none; it is rewound."""
    stamps = [p.pts for p in container.demux(stream) if p.size and p.pts is not None]
    container.seek(0)
    return float(min(stamps) * stream.time_base) if stamps else None


def _turner(turns: list[str], base: Fraction) -> Callable[[av.VideoFrame], av.VideoFrame]:
    """A function that turns pictures upright."""
    if not turns:
        return lambda picture: picture
    graphs: list[av.filter.Graph] = []

    def turned(picture: av.VideoFrame) -> av.VideoFrame:
        picture.time_base = base
        if not graphs:
            graph = av.filter.Graph()
            nodes = [graph.add('transpose', f'dir={name}') for name in turns]
            graph.link_nodes(
                graph.add_buffer(
                    width=picture.width,
                    height=picture.height,
                    format=picture.format,
                    time_base=base,
                ),
                *nodes,
                graph.add('buffersink'),
            ).configure()
            graphs.append(graph)
        graphs[0].push(picture)
        return graphs[0].pull()

    return turned
