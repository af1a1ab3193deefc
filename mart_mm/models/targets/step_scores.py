"""Temporal emotion scores finer than a segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from mart_mm.models.backbones.base import BackboneOutput
from mart_mm.models.targets.time_steps import step_means

if TYPE_CHECKING:
    from mart_mm.models.recognizers.affective import AffectiveRecognizer


def step_scores(
    recognizer: AffectiveRecognizer,
    output: BackboneOutput,
    present: dict[str, Tensor],
    steps: int,
) -> Tensor:
    """Paper Eq. 3 with the time steps of tokens in place of segments, over its temperature.

    A step's feature is the mean of its tokens; a stream with another number of steps is fitted to it.
    What else a head reads of a segment is repeated.

    Args:
        recognizer: Whose temporal CAM and head are asked.
        output: Of an unmasked pass, for BS segments.
        present: Bool (B,) by modality.
        steps: Time steps of a segment.

    Returns:
        (B, S, steps, C).
    """
    fine = {
        f'{name}_embed': step_means(
            getattr(output, f'{name}_tokens'), getattr(output, f'{name}_grid'), steps
        ).flatten(0, 1)
        for name in ('visual', 'audio')
    }
    for name in output._fields:
        value = getattr(output, name)
        if name.startswith('text_') and value is not None:
            fine[name] = value.repeat_interleave(steps, 0)
    num_segments = output.visual_embed.shape[0] // len(present['visual'])
    head, cam = recognizer.head, recognizer.temporal_cam
    features = head.segment_features(output._replace(**fine), num_segments * steps)
    scores = cam.scores(head, features, present) / cam.temperature  # (B, S * steps, C)
    return scores.unflatten(1, (num_segments, steps))
