"""What an exported model says of itself: classes, and how its inputs are made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from mart_mm_runtime.errors import ModelError

#: entry of the model's ``metadata_props``
KEY, FORMAT = 'mart_mm', 1


@dataclass(frozen=True)
class FrameSettings:
    """How frames are chosen and cut.

    Attributes:
        num_segments: Segments S of equal duration that a window is split into.
        clip_len: Frames T of a segment.
        frame_interval: Distance of neighbouring frames of a clip, in frames.
        short_side: Pixels, scaled while decoding; None keeps the size.
        size: Side of the square that the network sees, in pixels.
    """

    num_segments: int
    clip_len: int
    frame_interval: int
    short_side: int | None
    size: int


@dataclass(frozen=True)
class SoundSettings:
    """How the log-mel is computed.

    Attributes:
        num_frames: Log-mel frames F of a segment.
        num_mels: Mel bins.
        sample_rate: Samples per second.
        window: Samples of an analysis window.
        shift: Samples from one window to the next.
        fft_length: Points of the Fourier transform.
        preemphasis: Share of the sample before that is taken away.
        low_hz: Where the lowest mel filter starts.
        floor: Smallest energy.
    """

    num_frames: int
    num_mels: int
    sample_rate: int
    window: int
    shift: int
    fft_length: int
    preemphasis: float
    low_hz: float
    floor: float


@dataclass(frozen=True)
class Metadata:
    """All that a model says of itself.

    Attributes:
        classes: Emotion classes, in the order of the scores.
        polarity: Of each class: -1, 0 or 1.
        frames: How frames are chosen and cut.
        sound: How the log-mel is computed.
        segment_seconds: Length of a segment in the training data.
        model: ``name``, ``checkpoint``, ``sha256`` and ``version``, for the report.
    """

    classes: list[str]
    polarity: list[int]
    frames: FrameSettings
    sound: SoundSettings
    segment_seconds: float
    model: dict[str, str]


def read_metadata(properties: Mapping[str, str], source: str) -> Metadata:
    """Read the metadata of a model.

    Args:
        properties: The model's ``metadata_props``.
        source: Named in errors.

    Raises:
        ModelError: When something is missing, or of another format.
    """
    remedy = 'write the model with mart_mm.deploy.onnx.export_onnx'
    if KEY not in properties:
        raise ModelError(f'{source}: metadata_props has no {KEY!r}: {remedy}')
    try:
        content = json.loads(properties[KEY])
        if content['format'] != FORMAT:
            raise ModelError(
                f'{source}: metadata of format {content["format"]}, this runtime reads {FORMAT}: '
                'install the runtime of the version that wrote the model'
            )
        return Metadata(
            classes=content['classes'],
            polarity=content['polarity'],
            frames=FrameSettings(**content['frames']),
            sound=SoundSettings(**content['sound']),
            segment_seconds=content['segment_seconds'],
            model=content['model'],
        )
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ModelError(
            f'{source}: metadata_props[{KEY!r}] is incomplete ({error}): {remedy}'
        ) from error
