"""What a media file holds."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class VideoFacts:
    """What a video stream holds.

    Attributes:
        codec: FFmpeg's name.
        size: (width, height) as stored.
        seconds: From the first frame to the end of the last one.
        num_frames: Frames that decode.
        fps: Mean frame rate; nan where frames have no times.
        intervals: Shortest and longest time from frame to frame, seconds.
        is_variable_rate: Whether they differ by more than rounding.
        rotation: Degrees counter-clockwise to stand upright.
    """

    codec: str
    size: tuple[int, int]
    seconds: float
    num_frames: int
    fps: float
    intervals: tuple[float, float] = (0.0, 0.0)
    is_variable_rate: bool = False
    rotation: int = 0


@dataclass
class AudioFacts:
    """What an audio stream holds.

    Attributes:
        codec: FFmpeg's name.
        sample_rate: Samples per second.
        channels: Number of channels.
        seconds: Of sound that decodes.
        is_mute: Whether no sample of it reaches one step of 16 bits.
    """

    codec: str
    sample_rate: int
    channels: int
    seconds: float
    is_mute: bool


@dataclass
class MediaFacts:
    """What a file holds.

    Attributes:
        broken: Why nothing of it can be used; empty where something can.
        damage: Each way in which less is there than there should be.
        video: Of the video stream, where there is one.
        audio: Of the audio stream that is used, where there is one.
    """

    broken: str = ''
    damage: list[str] = field(default_factory=list)
    video: VideoFacts | None = None
    audio: AudioFacts | None = None
