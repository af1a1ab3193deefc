"""Encoding a video's pictures again, with its frames at their times and its sound kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from fractions import Fraction

import av
from av.stream import Disposition

from mart_mm.datasets.media.frame_table import FrameTable
from mart_mm.datasets.media.streams import find_audio_stream
from mart_mm.preparation.sound_copy import SoundCopy

_COLOUR = ('colorspace', 'color_range', 'color_primaries', 'color_trc')


def clock_of(stream: av.VideoStream, table: FrameTable) -> tuple[Fraction, Fraction]:
    """Mean frames per second, and seconds per tick.

    Without time stamps frames follow each other at the mean rate.
    """
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    return rate, stream.time_base if table.stamps else 1 / rate


def copy_colours(encoder: av.VideoStream, source: av.VideoStream) -> None:
    """Tell an encoder what the numbers of the source's pictures mean."""
    for name in _COLOUR:
        setattr(encoder.codec_context, name, getattr(source.codec_context, name))


def add_sounds(
    old: av.container.InputContainer,
    new: av.container.OutputContainer,
    zero: float | None,
    kept: Collection[str] = ('aac',),
) -> dict[int, SoundCopy]:
    """A copy of each stream of sound, by the index of its source.

    Readers of the copy choose as those of the source do.

    Args:
        old: The source.
        new: The copy.
        zero: Second of the source at which the copy begins.
        kept: Decoders whose packets are kept as they are, see :class:`SoundCopy`.
    """
    sounds = {stream.index: SoundCopy(new, stream, zero, kept) for stream in old.streams.audio}
    chosen = find_audio_stream(old)
    for index, sound in sounds.items():
        is_chosen = chosen is not None and index == chosen.index
        sound.stream.disposition = Disposition.default if is_chosen else Disposition(0)
    return sounds


def recode(
    old: av.container.InputContainer,
    new: av.container.OutputContainer,
    stream: av.VideoStream,
    encoder: av.VideoStream,
    sounds: dict[int, SoundCopy],
    table: FrameTable,
    paint: Callable[[av.VideoFrame, float], av.VideoFrame],
    *,
    base: Fraction,
    first: int,
) -> int:
    """Write pictures and sound.

    Args:
        old: The source.
        new: The copy.
        stream: The pictures of the source.
        encoder: The pictures of the copy.
        sounds: As :func:`add_sounds` gives them.
        table: The frames that count; others, which an edit list hides, are left out.
        paint: Makes the picture to write of a frame and its time in seconds.
        base: Seconds per tick.
        first: Tick of the source that is 0 in the copy.

    Returns:
        How many frames of the table were written; fewer than it has where the source is damaged.
    """
    durations = _durations(table, base, first)
    done: set[int] = set()
    count = 0
    for packet in old.demux([stream, *old.streams.audio]):
        if packet.stream_index in sounds:
            sounds[packet.stream_index].add(packet)
            continue
        for frame in _decoded(packet):
            index = table.index_of.get(frame.pts) if table.stamps else count
            count += 1
            if index is None or index in done or index >= len(table.times):
                continue
            done.add(index)
            picture = paint(frame, float(table.times[index]))
            picture.pts = table.stamps[index] - first if table.stamps else index
            picture.time_base, picture.pict_type = base, av.video.frame.PictureType.NONE
            _mux(new, encoder.encode(picture), durations)
    _mux(new, encoder.encode(), durations)
    for sound in sounds.values():
        sound.end()
    return len(done)


def _decoded(packet: av.Packet) -> Iterator[av.VideoFrame]:
    try:
        yield from packet.decode()
    except av.FFmpegError:  # the frames it lacks are counted
        return


def _durations(table: FrameTable, base: Fraction, first: int) -> dict[int, int]:
    """Tick of the copy -> ticks for which the frame is shown."""
    if not table.stamps:
        return {}
    shown = [*table.stamps, table.stamps[0] + round(table.duration / base)]
    return {
        stamp - first: max(1, following - stamp)
        for stamp, following in zip(shown, shown[1:], strict=False)
    }


def _mux(
    container: av.container.OutputContainer, packets: list[av.Packet], durations: dict[int, int]
) -> None:
    for packet in packets:
        packet.duration = durations.get(packet.pts, packet.duration)
        container.mux(packet)
