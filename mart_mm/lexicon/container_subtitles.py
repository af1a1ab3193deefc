"""Subtitles inside a video file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import av

from mart_mm.lexicon.subtitle_text import clean_text, is_drawing
from mart_mm.lexicon.text_encoding import decode_text
from mart_mm.lexicon.transcript import TranscriptError, TranscriptLine

#: FFmpeg's names of the codecs that store text; all others are pictures or need a renderer
TEXT_CODECS = ('mov_text', 'subrip', 'srt', 'text', 'webvtt', 'ass', 'ssa')
# ISO 639-1 code, then the ISO 639-2 codes by which containers name the language
_CODES = """
ar ara, bg bul, ca cat, cs ces cze, cy cym wel, da dan, de deu ger, el ell gre, en eng, eo epo,
es spa, et est, eu eus baq, fa fas per, fi fin, fr fra fre, ga gle, gd gla, gl glg, gv glv, he heb,
hi hin, hr hrv, hu hun, hy hye arm, id ind, is isl ice, it ita, ja jpn, ka kat geo, ko kor, la lat,
lb ltz, lt lit, lv lav, mk mkd mac, ml mal, ms msa may, nb nob, nl nld dut, nn nno, no nor, pl pol,
pt por, ro ron rum, ru rus, se sme, sk slk slo, sl slv, sq sqi alb, sr srp, sv swe, sw swa, ta tam,
th tha, tl tgl, tr tur, uk ukr, ur urd, vi vie, zh zho chi
"""
_SHORT = {long: short for short, *longs in map(str.split, _CODES.split(',')) for long in longs}
_ASS_FIELDS = 8  # fields before the text of an ASS packet


class _Cue(NamedTuple):
    start: float  # seconds of the container's clock
    duration: float  # 0 where the container does not say
    text: str


def read_container_subtitles(path: str | Path, language: str | None = None) -> list[TranscriptLine]:
    """Read one stream of text subtitles of an mp4, mkv, webm, ... file.

    Of several text streams that one is taken which is in the ``language`` asked for, then one that
    is not ``forced`` (forced ones hold only what is said in another tongue), then one flagged
    ``default``, then the first. Streams of pictures (DVD, Blu-ray, DVB) are ignored.

    Time 0 is the first video frame, as for frames and sound; in a file without video it is the
    first packet of sound. A line whose duration the file does not store lasts until the next one,
    the last one until the end of the file. Behind damage, what came before it stands.

    Args:
        path: The file.
        language: ISO 639 code of two or three letters; None to go by the flags alone.

    Returns:
        Lines in the order of their start; none when there is no text stream.

    Raises:
        MediaError: When the file cannot be opened.
        TranscriptError: When the stream that is taken holds no line that can be read.
    """
    # here, because the data sets import the lexicon
    from mart_mm.datasets.media.faults import media_faults, open_media

    with media_faults(path, 'its subtitles cannot be read'), open_media(path) as container:
        stream = choose_text_stream(container, language)
        if stream is None:
            return []
        name = f'subtitle stream {stream.index} ({stream.codec_context.name})'
        cues, zero, end = _scan(container, stream)
    lines = [line for line in _lines(cues, end) if line.end > zero]
    if not lines:
        raise TranscriptError(path, f'{name} holds no line with a time and a text')
    return [line._replace(start=max(0.0, line.start - zero), end=line.end - zero) for line in lines]


def choose_text_stream(
    container: av.container.InputContainer, language: str | None = None
) -> av.subtitles.stream.SubtitleStream | None:
    """The text stream that ``read_container_subtitles`` reads, or None."""
    flags = av.stream.Disposition
    wanted = short_code(language) if language else None
    streams = [
        stream
        for stream in container.streams.subtitles
        if stream.codec_context is not None and stream.codec_context.name in TEXT_CODECS
    ]
    return min(
        streams,
        key=lambda stream: (
            wanted is not None and short_code(stream.language or '') != wanted,
            bool(stream.disposition & flags.forced),
            not stream.disposition & flags.default,
            stream.index,
        ),
        default=None,
    )


def short_code(language: str) -> str:
    """ISO 639-1 code of a language tag: ``'ger'``, ``'deu'`` and ``'de-AT'`` are ``'de'``.

    A tag that is not known stays as it is, without its region.
    """
    main = language.lower().replace('_', '-').partition('-')[0]
    return _SHORT.get(main, main)


def _scan(
    container: av.container.InputContainer, stream: av.subtitles.stream.SubtitleStream
) -> tuple[list[_Cue], float, float]:
    """Cues, the time of the first frame, and the end of the file, from one pass over packets."""
    # here, because the data sets import the lexicon
    from mart_mm.datasets.media.streams import find_audio_stream, find_video_stream

    clock = find_video_stream(container) or find_audio_stream(container)
    codec = stream.codec_context.name
    cues: list[_Cue] = []
    zero, end = float('inf'), 0.0  # headers differ in what they count as duration: packets do not
    try:
        for packet in container.demux():
            if not packet.size or packet.pts is None:
                continue
            start = float(packet.pts * packet.time_base)
            duration = max(0.0, float((packet.duration or 0) * packet.time_base))
            end = max(end, start + duration)
            index = packet.stream.index
            if index == stream.index:
                cues.append(_Cue(start, duration, packet_text(bytes(packet), codec)))
            elif clock is not None and index == clock.index:
                zero = zero if packet.is_discard else min(zero, start)
    except av.FFmpegError:  # a damaged tail: what came before it stands
        pass
    return cues, 0.0 if zero == float('inf') else zero, end


def packet_text(content: bytes, codec: str) -> str:
    """Text of one packet, cleaned; empty where it shows none.

    Args:
        content: The packet.
        codec: One of ``TEXT_CODECS``. ``mov_text`` stores the length of its text in two bytes
            before it and styles behind it; Matroska's ASS stores the fields of a line without its
            times; the others store the text alone.
    """
    if codec == 'mov_text':
        content = content[2 : 2 + int.from_bytes(content[:2], 'big')]
    text = decode_text(content)
    if codec in ('ass', 'ssa'):
        text = text.split(',', _ASS_FIELDS)[-1]
        text = '' if is_drawing(text) else text
    return clean_text(text)


def _lines(cues: list[_Cue], end: float) -> list[TranscriptLine]:
    cues = sorted(cues)
    lines = []
    for number, cue in enumerate(cues, 1):
        following = cues[number].start if number < len(cues) else end
        stop = cue.start + cue.duration if cue.duration else following
        if cue.text and stop > cue.start:
            lines.append(TranscriptLine(cue.start, stop, cue.text))
    return lines
