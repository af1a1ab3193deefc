"""Which picture and which sound of a file are used, the same wherever a file is read."""

from __future__ import annotations

import av

_FLAGS = av.stream.Disposition
#: pictures that are no film
_NO_FILM = _FLAGS.attached_pic | _FLAGS.timed_thumbnails
#: made for some viewers beside the stream that is for all
_SPECIAL = (
    _FLAGS.dub | _FLAGS.comment | _FLAGS.karaoke | _FLAGS.hearing_impaired | _FLAGS.visual_impaired
)


def find_video_stream(container: av.container.InputContainer) -> av.VideoStream | None:
    """The stream of pictures that is used.

    Cover pictures and thumbnails are none. Of several streams the first of these rules decides that
    tells them apart: not for some viewers only (dubbed, commented, for the impaired), flagged
    ``default``, the largest picture, the first in the file.

    Args:
        container: The open file.

    Returns:
        The stream, or None where the file has none that can be decoded.
    """
    streams = [s for s in _decodable(container.streams.video) if not s.disposition & _NO_FILM]
    return min(streams, key=lambda s: (*_rank(s), -s.width * s.height, s.index), default=None)


def find_audio_stream(container: av.container.InputContainer) -> av.AudioStream | None:
    """The stream of sound that is used.

    By the same rules, with the most channels and then the highest sample rate in the place of the
    largest picture.

    Args:
        container: The open file.

    Returns:
        The stream, or None where the file has none that can be decoded.
    """
    streams = _decodable(container.streams.audio)
    return min(
        streams, key=lambda s: (*_rank(s), -s.channels, -s.sample_rate, s.index), default=None
    )


def _decodable(streams: tuple) -> list:
    return [stream for stream in streams if stream.codec_context is not None]


def _rank(stream: av.stream.Stream) -> tuple[bool, bool]:
    return bool(stream.disposition & _SPECIAL), not stream.disposition & _FLAGS.default
