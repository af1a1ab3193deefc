"""What an exported model says of itself, so that nothing else is needed to run it."""

from __future__ import annotations

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mart_mm.datasets.media import log_mel as kaldi
from mart_mm.models.data_preprocessor import AffectiveDataPreprocessor
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.registry import DATASETS, TRANSFORMS

#: entry of the model's ``metadata_props``; JSON of what :func:`describe` returns
KEY, FORMAT = 'mart_mm', 1
#: steps of a test pipeline that make inputs, and those that only read words or pack
_INPUT_STEPS = ('SampleSegments', 'CropFrames', 'LoadLogMel')
_OTHER_STEPS = ('LoadFrames', 'LoadTranscript', 'FindCues', 'PackAffectiveInputs')


class ExportError(ValueError):
    """A model that cannot be exported; the message says why and what can be done."""


def describe(
    recognizer: AffectiveRecognizer,
    cfg: Config,
    facts: dict[str, str],
    *,
    has_fixed_segments: bool,
) -> dict:
    """Metadata of an exported model.

    Args:
        recognizer: The model.
        cfg: Its config, whose test pipeline and classes are described.
        facts: Of the checkpoint.
        has_fixed_segments: Whether the model takes no other number of segments than the pipeline's.

    Returns:
        Plain data: ``format``, ``classes``, ``polarity``, ``frames`` and ``sound`` (how inputs are
        made), ``normalisation`` (which is part of the graph, given for information),
        ``has_fixed_segments`` and ``model``.

    Raises:
        ExportError: When the pipeline does what a runtime does not know, or classes are missing.
    """
    init_default_scope(cfg.get('default_scope', 'mart_mm'))
    data_set = cfg.test_dataloader.dataset
    polarity = recognizer.head.polarity.tolist()
    classes = class_names(data_set)
    if len(classes) != len(polarity):
        raise ExportError(
            f'{cfg.filename}: the data set has {len(classes)} classes {classes}, model.head.polarity '
            f'has {len(polarity)}: let them agree'
        )
    segments, crop, sound = (_step(cfg, data_set, name) for name in _INPUT_STEPS)
    return dict(
        format=FORMAT,
        classes=classes,
        polarity=polarity,
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
        has_fixed_segments=has_fixed_segments,
        model=facts,
    )


def class_names(data_set: dict) -> list[str]:
    """Emotion classes of a data set's config, without reading its files."""
    own = (data_set.get('metainfo') or {}).get('classes') or data_set.get('classes')
    if own:
        return list(own)
    preset = DATASETS.get(data_set['type']).preset_metainfo(data_set.get('preset'))
    return list(preset['classes'])


def _step(cfg: Config, data_set: dict, name: str) -> object:
    """A transform of the test pipeline, by the name of its class."""
    steps = {step['type'].split('.')[-1]: step for step in data_set['pipeline']}
    unknown = [kind for kind in steps if kind not in (*_INPUT_STEPS, *_OTHER_STEPS)]
    if unknown or name not in steps:
        raise ExportError(
            f'{cfg.filename}, field test_dataloader.dataset.pipeline: exported models take frames '
            f'and log-mel made by {", ".join(_INPUT_STEPS)}; '
            + (f'unknown steps: {", ".join(unknown)}' if unknown else f'{name} is missing')
        )
    step = TRANSFORMS.build(dict(steps[name]))
    if getattr(step, 'random', False):
        raise ExportError(
            f'{cfg.filename}, field test_dataloader.dataset.pipeline: {name}.random must be False'
        )
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
