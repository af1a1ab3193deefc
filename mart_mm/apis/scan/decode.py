"""Decode a file to its end and measure what comes out."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np

from mart_mm.apis.scan.facts import AudioFacts, MediaFacts, VideoFacts
from mart_mm.datasets.media.faults import DECODER_LIMITS, media_faults, open_media
from mart_mm.datasets.media.frame_table import FrameTable, scan_frames
from mart_mm.datasets.media.streams import find_audio_stream, find_video_stream
from mart_mm.errors import MediaError

#: one step of 16 bits: what is quieter than this is no sound
_QUIET = 2.0**-15
#: seconds and share by which streams end apart from what headers say, in whole files too
_SLACK_SECONDS, _SLACK_SHARE = 0.5, 0.02
#: share of the packets that show no picture of their own (VP8's hidden reference pictures)
_HIDDEN_SHARE = 0.1
#: intervals of frames that differ by no more than this are rounded, not different
_SAME_SECONDS, _SAME_SHARE = 0.002, 0.1
_PICTURES = ('.jpg', '.jpeg', '.png', '.bmp')


def decode_file(path: str | Path, beat: Callable[[], None] = lambda: None) -> MediaFacts:
    """Decode all video and audio of a file, or all pictures of a folder.

    Args:
        path: The file, or the folder of frames.
        beat: Called again and again while decoding goes on.
    """
    if Path(path).is_dir():
        return _decode_pictures(Path(path), beat)
    facts = MediaFacts()
    table = None
    try:
        with media_faults(path, 'cannot be read'):
            with open_media(path) as container:
                stream = find_video_stream(container)
                if stream is not None:
                    try:
                        table = scan_frames(str(path), container, stream)
                    except MediaError as error:
                        facts.damage.append(error.reason)
            beat()
            with open_media(path) as container:
                _decode_streams(container, table, facts, beat)
    except MediaError as error:
        return MediaFacts(broken=error.reason)
    return facts


class _Counter:
    """What comes out of one stream."""

    def __init__(self, stream: av.stream.Stream) -> None:
        self.stream = stream
        self.packets, self.frames, self.errors, self.corrupt = 0, 0, 0, 0
        self.samples, self.peak = 0, 0.0
        self.rate, self.channels = 0, 0
        self.first, self.last = math.inf, -math.inf  # seconds at which frames begin

    def feed(self, packet: av.Packet) -> None:
        """Decode a packet; the empty one at the end empties the decoder."""
        self.packets += bool(packet.size) and not packet.is_discard
        try:
            frames = packet.decode()
        except av.FFmpegError:
            self.errors += 1
            return
        for frame in frames:
            self.frames += 1
            self.corrupt += bool(frame.is_corrupt)
            if frame.time is not None:
                self.first, self.last = min(self.first, frame.time), max(self.last, frame.time)
            if isinstance(frame, av.AudioFrame):
                self._hear(frame)

    def _hear(self, frame: av.AudioFrame) -> None:
        self.samples += frame.samples
        self.rate, self.channels = frame.sample_rate, frame.layout.nb_channels
        if self.peak >= _QUIET:  # known to be heard: the rest need not be looked at
            return
        sound = frame.to_ndarray()
        if sound.dtype.kind == 'u':
            sound = sound.astype(np.int16) - 128
            full = 128
        else:
            full = 1 if sound.dtype.kind == 'f' else np.iinfo(sound.dtype).max + 1
        loudest = max(abs(float(sound.max(initial=0))), abs(float(sound.min(initial=0))))
        self.peak = max(self.peak, loudest / full)

    @property
    def damage(self) -> list[str]:
        """Packets and frames that are not what they should be."""
        kind, found = self.stream.type, []
        if self.errors:
            found.append(f'{self.errors} of {self.packets} {kind} packets do not decode')
        if self.corrupt:
            found.append(f'{self.corrupt} of {self.frames} {kind} frames are damaged')
        return found


def _decode_streams(
    container: av.container.InputContainer,
    table: FrameTable | None,
    facts: MediaFacts,
    beat: Callable[[], None],
) -> None:
    video, audio = find_video_stream(container), find_audio_stream(container)
    streams = [stream for stream in (video, audio) if stream is not None]
    if not streams:
        facts.broken = 'no stream of pictures or sound that can be decoded'
        return
    if video is not None:
        video.thread_count = 1  # files are decoded side by side
        video.codec_context.options = DECODER_LIMITS
    counters = {stream.index: _Counter(stream) for stream in streams}
    try:
        for packet in container.demux(streams):
            counters[packet.stream.index].feed(packet)  # stream_index is 0 in the last ones
            beat()
    except av.FFmpegError as error:
        facts.damage.append(f'the file cannot be read to its end ({error.strerror})')
    for counter in counters.values():
        facts.damage += counter.damage
    main = counters[streams[0].index]
    if not main.frames:
        facts.broken = '; '.join([f'nothing of its {main.stream.type} decodes', *facts.damage])
        return
    if video is not None:
        facts.video = _video_facts(counters[video.index], table, facts.damage)
    if audio is not None:
        facts.audio = _audio_facts(counters[audio.index], container, facts.damage)


def _video_facts(counter: _Counter, table: FrameTable | None, damage: list[str]) -> VideoFacts:
    stream = counter.stream
    codec, size = stream.codec_context.name, (stream.width, stream.height)
    if table is None:
        seconds = max(0.0, counter.last - counter.first)
        rate = float(stream.average_rate or 0) or math.nan
        return VideoFacts(codec, size, seconds, counter.frames, rate)
    expected = len(table.times)
    if counter.frames < expected * (1 - _HIDDEN_SHARE):
        damage.append(f'{counter.frames} of {expected} frames decode')
    shown = counter.last - counter.first  # of files without times -inf
    if 0 <= shown < math.inf and _is_less(shown, float(table.times[-1])):
        damage.append(f'frames end after {shown:.1f} s of {table.duration:.1f} s')
    intervals = np.diff(table.times)
    extremes = (float(intervals.min()), float(intervals.max())) if len(intervals) else (0.0, 0.0)
    return VideoFacts(
        codec,
        table.size,
        table.duration,
        counter.frames,
        expected / table.duration,
        extremes,
        _differ(intervals),
        table.rotation % 360,
    )


def _differ(intervals: np.ndarray) -> bool:
    if len(intervals) < 2:
        return False
    middle = np.median(intervals)
    apart = np.abs(intervals - middle)
    return bool((apart > max(_SAME_SECONDS, _SAME_SHARE * middle)).any())


def _audio_facts(
    counter: _Counter, container: av.container.InputContainer, damage: list[str]
) -> AudioFacts:
    stream = counter.stream
    rate = counter.rate or stream.rate or 1
    seconds = counter.samples / rate
    if stream.duration:
        announced = float(stream.duration * stream.time_base)
    elif len(container.streams) == 1 and container.duration:
        announced = container.duration / av.time_base
    else:  # of a container with other streams, sound may end before the rest
        announced = 0.0
    if _is_less(seconds, announced):
        damage.append(f'sound ends after {seconds:.1f} s of {announced:.1f} s')
    return AudioFacts(
        stream.codec_context.name,
        rate,
        counter.channels or stream.channels,
        seconds,
        counter.frames > 0 and counter.peak < _QUIET,
    )


def _is_less(seconds: float, announced: float) -> bool:
    return seconds < announced - max(_SLACK_SECONDS, _SLACK_SHARE * announced)


def _decode_pictures(folder: Path, beat: Callable[[], None]) -> MediaFacts:
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in _PICTURES)
    if not files:
        return MediaFacts(broken='a folder without pictures')
    size, bad = (0, 0), []
    for file in files:
        picture = cv2.imread(str(file))
        beat()
        if picture is None:
            bad.append(file.name)
        else:
            size = picture.shape[1::-1]
    if len(bad) == len(files):
        return MediaFacts(broken=f'none of {len(files)} pictures decodes')
    video = VideoFacts('pictures', size, math.nan, len(files) - len(bad), math.nan)
    damage = [f'{len(bad)} of {len(files)} pictures do not decode, {bad[0]} first'] if bad else []
    return MediaFacts(damage=damage, video=video)
