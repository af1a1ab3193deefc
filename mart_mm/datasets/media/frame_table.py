"""When each frame of a video is shown and where its key frames are, read without decoding."""

from __future__ import annotations

import math
from dataclasses import dataclass

import av
import numpy as np

from mart_mm.datasets.media.faults import check_picture, check_seconds
from mart_mm.errors import MediaError

#: containers whose header says how much must follow, so that a cut file can be told
_MOV, _MATROSKA = 'mov', 'matroska'
_MISSING_SECONDS = 1.0  # a matroska file that ends this much before its own duration is cut


def format_family(container: av.container.InputContainer) -> str:
    """First of FFmpeg's names of the container: ``'mov'`` for mp4, ``'matroska'`` for webm."""
    return container.format.name.split(',')[0]


def stamp_of(packet: av.Packet) -> int | None:
    """Time stamp by which the frame of a packet is known."""
    return packet.dts if packet.pts is None else packet.pts


@dataclass(frozen=True)
class FrameTable:
    """All frames of a video stream in the order in which they are shown.

    Attributes:
        times: float64 (n,), seconds after the first frame.
        duration: Seconds from the first frame to the end of the last.
        index_of: Time stamp in the stream -> frame index. Empty where the file stores no time
            stamps (AVI with B-frames): frames are then known by counting from the start only.
        stamps: The time stamps in order, or empty.
        keys: Indices of key frames; the first is 0.
        size: (width, height) as stored.
        rotation: Degrees counter-clockwise by which the picture must be turned to stand upright.
        has_open_gops: Frames shown before a key frame are stored after it, and need the one before.
    """

    times: np.ndarray
    duration: float
    index_of: dict[int, int]
    stamps: list[int]
    keys: list[int]
    size: tuple[int, int]
    rotation: int
    has_open_gops: bool = False


def scan_frames(
    path: str, container: av.container.InputContainer, stream: av.VideoStream
) -> FrameTable:
    """Go through all packets once; only the first frame is decoded, for its size and rotation.

    Args:
        path: For messages.
        container: Just opened.
        stream: Of the container.

    Returns:
        The table. The container stands at its end afterwards.

    Raises:
        MediaError: When no frame decodes, when the file ends before its header says, and where
            pictures or times are none that a film has.
    """
    if stream.width and stream.height:
        check_picture(path, stream.width, stream.height)
    lasts: dict[int, int] = {}  # time stamp -> duration of its packet
    keys: set[int] = set()
    num_packets, end, first, damage = 0, 0.0, None, ''
    last_key, has_open_gops = -math.inf, False
    try:
        for packet in container.demux():
            is_ours = packet.stream.index == stream.index  # ``stream_index`` is 0 in the last ones
            if is_ours and first is None:
                first = _first_frame(packet)
            if not packet.size or packet.pts is None and packet.dts is None:
                continue
            stamp = stamp_of(packet)
            end = max(end, float((stamp + (packet.duration or 0)) * packet.time_base))
            if not is_ours or _is_hidden(packet, stream):
                continue
            num_packets += 1
            last_key = stamp if packet.is_keyframe else last_key
            has_open_gops |= stamp < last_key
            if not packet.is_discard:  # an edit list hides the others
                lasts[stamp] = packet.duration or 0
                if packet.is_keyframe:
                    keys.add(stamp)
    except av.FFmpegError as error:
        damage = f'damaged ({error.strerror})'
    damage = damage or _what_is_missing(container, stream, num_packets, end)
    if damage:
        raise MediaError(path, f'{damage}: {num_packets} frames can be read')
    if first is None or not lasts:
        raise MediaError(path, 'no frame of the video stream can be decoded')
    size, rotation = (first.width, first.height), int(first.rotation)
    check_picture(path, *size)
    rate = float(stream.average_rate or stream.guessed_rate or 25)
    if format_family(container) == 'avi' and stream.codec_context.has_b_frames:
        container.seek(0)
        count = sum(1 for _ in container.decode(stream))
        return FrameTable(np.arange(count) / rate, count / rate, {}, [], [0], size, rotation)
    stamps = sorted(lasts)
    index_of = {stamp: index for index, stamp in enumerate(stamps)}
    base = float(stream.time_base)
    times = (np.array(stamps, dtype=np.float64) - stamps[0]) * base
    duration = float(times[-1]) + (lasts[stamps[-1]] * base or 1 / rate)
    check_seconds(path, duration, 'the video')
    return FrameTable(
        times,
        duration,
        index_of,
        stamps,
        sorted({0} | {index_of[stamp] for stamp in keys}),
        size,
        rotation,
        has_open_gops,
    )


def _is_hidden(packet: av.Packet, stream: av.VideoStream) -> bool:
    """VP8 stores pictures that are only there to predict others from; their header says so."""
    return stream.codec_context.name == 'vp8' and not memoryview(packet)[0] & 0x10


def _first_frame(packet: av.Packet) -> av.VideoFrame | None:
    try:
        return next(iter(packet.decode()), None)
    except av.FFmpegError:  # the next packet may do
        return None


def _what_is_missing(
    container: av.container.InputContainer, stream: av.VideoStream, num_packets: int, end: float
) -> str:
    family = format_family(container)
    if family == _MOV and num_packets < stream.frames:
        return f'cut: the header announces {stream.frames} frames'
    if family == _MATROSKA and container.duration:
        announced = ((container.start_time or 0) + container.duration) / av.time_base
        if end < announced - _MISSING_SECONDS:
            return f'cut: the header announces {announced:.1f} s, the file ends after {end:.1f} s'
    return ''
