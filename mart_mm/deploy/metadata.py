"""What an exported model says of itself, so that nothing else is needed to run it."""

from __future__ import annotations

from mart_mm.datasets.media import log_mel as kaldi
from mart_mm.models.data_preprocessor import AffectiveDataPreprocessor
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.registry import TRANSFORMS
from mart_mm.structures.inference_card import InferenceCard

#: entry of the model's ``metadata_props``; JSON of what :func:`describe` returns
KEY, FORMAT = 'mart_mm', 1
#: steps of a test pipeline that make inputs, and those that only read words or pack
_INPUT_STEPS = ('SampleSegments', 'CropFrames', 'LoadLogMel')
_OTHER_STEPS = ('LoadFrames', 'LoadTranscript', 'FindCues', 'PackAffectiveInputs')


class ExportError(ValueError):
    """A model that cannot be exported; the message says why and what can be done."""


def describe(
    recognizer: AffectiveRecognizer,
    card: InferenceCard,
    segment_seconds: float,
    model_info: dict[str, str],
) -> dict:
    """Metadata of an exported model.

    Args:
        recognizer: The model.
        card: What its checkpoint says of itself.
        segment_seconds: Length of a segment.
        model_info: ``name``, ``checkpoint``, ``sha256`` and ``version``, as emotion reports have them.

    Returns:
        Plain data: ``format``, ``classes``, ``polarity``, ``segment_seconds``, ``frames`` and ``sound``
        (how inputs are made), ``normalisation`` (which is part of the graph, given for information) and
        ``model``.

    Raises:
        ExportError: When the pipeline does what a runtime does not know.
    """
    segments, crop, sound = (_step(card, name) for name in _INPUT_STEPS)
    return dict(
        format=FORMAT,
        classes=list(card.classes),
        polarity=list(card.polarity),
        segment_seconds=segment_seconds,
        frames=dict(
            num_segments=segments.num_segments,
            clip_len=segments.clip_len,
            frame_interval=segments.frame_interval,
            short_side=segments.size,
            size=crop.size,
        ),
        sound=dict(
            num_frames=sound.num_frames,
            num_mels=sound.num_mels,
            **_log_mel_settings(sound.sample_rate),
        ),
        normalisation=_normalisation(recognizer.data_preprocessor),
        model=dict(model_info),
    )


def _step(card: InferenceCard, name: str) -> object:
    """A transform of the test pipeline, by the name of its class."""
    steps = {step['type'].split('.')[-1]: step for step in card.pipeline}
    unknown = [kind for kind in steps if kind not in (*_INPUT_STEPS, *_OTHER_STEPS)]
    if unknown or name not in steps:
        raise ExportError(
            f'{card.name}, its test pipeline: exported models take frames and log-mel made by '
            f'{", ".join(_INPUT_STEPS)}; '
            + (f'unknown steps: {", ".join(unknown)}' if unknown else f'{name} is missing')
        )
    step = TRANSFORMS.build(dict(steps[name]))
    if getattr(step, 'random', False):
        raise ExportError(f'{card.name}, its test pipeline: {name}.random must be False')
    return step


def _log_mel_settings(sample_rate: int) -> dict:
    window, shift = kaldi.window_and_shift(sample_rate)
    return dict(
        sample_rate=sample_rate,
        window=window,
        shift=shift,
        fft_length=kaldi._fft_length(sample_rate),
        preemphasis=kaldi._PREEMPHASIS,
        low_hz=kaldi._LOW_HZ,
        floor=kaldi._FLOOR,
    )


def _normalisation(preprocessor: AffectiveDataPreprocessor) -> dict:
    return dict(
        mean=preprocessor.mean.flatten().tolist(),
        std=preprocessor.std.flatten().tolist(),
        audio_mean=preprocessor.audio_mean,
        audio_divisor=2 * preprocessor.audio_std,
    )
