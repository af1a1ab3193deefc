"""From the windows of a video to one prediction, and from that to a report."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mart_mm.apis.inference.windows import Window
from mart_mm.models.affective.lexicon_verifier import LexiconVerifier
from mart_mm.structures.affective_data_sample import AffectiveDataSample
from mart_mm.structures.emotion_report import (
    DROPPED_AT,
    EmotionReport,
    MaskReport,
    SegmentReport,
    WordReport,
)
from mart_mm.structures.inference_card import InferenceCard


def join_windows(
    windows: Sequence[Window], samples: Sequence[AffectiveDataSample], polarity: Sequence[int]
) -> AffectiveDataSample:
    """One sample of a whole video.

    Segments, texts and cues follow each other; the video's scores are the mean of the windows' scores,
    each weighted by its window's length.

    Args:
        windows: N of them, in the order of time.
        samples: N, with predictions.
        polarity: Of each class.
    """
    lengths = torch.tensor([window.end - window.start for window in windows])
    scores = torch.stack([sample.pred_scores.cpu() for sample in samples])  # (N, C)
    joined = AffectiveDataSample(
        metainfo=dict(
            video_id=samples[0].video_id,
            video_path=samples[0].video_path,
            transcript_source=samples[0].transcript_source,
            failures=[],
        )
    )
    joined.pred_scores = (lengths / lengths.sum()) @ scores  # (C,)
    joined.pred_emotion = int(joined.pred_scores.argmax())
    joined.pred_sentiment = int(polarity[joined.pred_emotion])
    joined.temporal_scores = torch.cat([sample.temporal_scores.cpu() for sample in samples])
    joined.segment_times = torch.cat([sample.segment_times for sample in samples])
    joined.texts = [text for sample in samples for text in sample.texts]
    joined.cues = [cues for sample in samples for cues in sample.cues]
    return joined


def left_out(windows: Sequence[Window], samples: Sequence[AffectiveDataSample]) -> list[str]:
    """A line for each window of which the pipeline left out words."""
    lines = []
    for window, sample in zip(windows, samples, strict=True):
        count = sample.num_cues_found - sum(map(len, sample.cues))
        if count > 0:
            lines.append(
                f'{window.start:.1f} to {window.end:.1f} s: {count} words of the lexicon left out, more '
                'than the model takes for a segment (max_cues of its pipeline)'
            )
    return lines


def to_report(
    sample: AffectiveDataSample,
    card: InferenceCard,
    *,
    video: str,
    duration: float,
    has_sound: bool,
    transcript_source: str | None,
    warnings: list[str],
    model: dict[str, str],
    masks: MaskReport | None,
) -> EmotionReport:
    """A report of a whole video's sample.

    The video's sentiment is the polarity of its emotion. A segment's sentiment is the polarity with
    the largest share of its distribution, by which its words are verified.

    Args:
        sample: With predictions.
        card: Of the model.
        video: File name.
        duration: Seconds.
        has_sound: Whether sound was heard.
        transcript_source: See ``EmotionReport``.
        warnings: See ``EmotionReport``.
        model: See ``EmotionReport``.
        masks: See ``EmotionReport``.
    """
    scores = sample.pred_scores.tolist()
    return EmotionReport(
        video=video,
        duration=round(duration, 3),
        classes=list(card.classes),
        polarity=list(card.polarity),
        emotion=card.classes[sample.pred_emotion],
        scores=scores,
        sentiment=sample.pred_sentiment,
        segments=_segments(sample, card),
        words=_words(sample, card),
        has_sound=has_sound,
        transcript_source=transcript_source,
        warnings=warnings,
        model=model,
        masks=masks,
    )


def _segments(sample: AffectiveDataSample, card: InferenceCard) -> list[SegmentReport]:
    distribution: Tensor = sample.temporal_scores  # (S, C)
    sentiment = LexiconVerifier.sentiment(distribution[None], torch.tensor(card.polarity))[0]
    strength, strongest = distribution.max(1)
    degrees = (strength / strength.max()).tolist()
    return [
        SegmentReport(
            start=round(times[0], 3),
            end=round(times[1], 3),
            distribution=shares,
            emotion=card.classes[index],
            sentiment=sign,
            degree=degree,
            text=text,
        )
        for times, shares, index, sign, degree, text in zip(
            sample.segment_times.tolist(),
            distribution.tolist(),
            strongest.tolist(),
            sentiment.tolist(),
            degrees,
            sample.texts,
            strict=True,
        )
    ]


def _words(sample: AffectiveDataSample, card: InferenceCard) -> list[WordReport]:
    words = []
    for segment, cues in enumerate(sample.cues):
        for cue in cues:
            level, index = cue.get('level'), cue['emotion_class']
            words.append(
                WordReport(
                    word=cue['word'],
                    concept=cue['concept'],
                    start=round(cue['start'], 3),
                    end=round(cue['end'], 3),
                    segment=segment,
                    polarity=cue['polarity'],
                    emotion=card.classes[index] if index >= 0 else None,
                    affect=cue['degrees'],
                    level=level,
                    dropped=None if level is None else DROPPED_AT[level],
                )
            )
    return sorted(words, key=lambda word: (word.start, word.segment))
