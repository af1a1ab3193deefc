"""What a pretext does with a batch: masks, verified words, recovered distributions."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mart_mm.models.pretext.masked_affective import AffectiveView, MaskedAffectivePretext
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.models.targets.emotion_distribution import EmotionDistributionTarget
from mart_mm.structures.affective_data_sample import AffectiveDataSample


class Inspection(NamedTuple):
    """What MART does with one batch.

    Attributes:
        samples: B samples, with predictions.
        view: The unmasked pass.
        is_masked: Bool (BS, N) by stream.
        recovered: Emotion distribution (B, S, C) recovered from the masked pass, mean of the streams;
            None where no target recovers the classes' distribution.
        target: What was to be recovered, (B, S, C), likewise.
    """

    samples: list[AffectiveDataSample]
    view: AffectiveView
    is_masked: dict[str, Tensor]
    recovered: Tensor | None
    target: Tensor | None = None


@torch.no_grad()
def inspect(recognizer: AffectiveRecognizer, batch: dict, progress: float = 1.0) -> Inspection:
    """Run MART's pretext on a collated batch at a place in the pretraining stage.

    Args:
        recognizer: With MART's pretext; it is left in evaluation mode, at this progress.
        batch: As the collate function gives it.
        progress: Share of the pretraining stage done, in [0, 1].

    Raises:
        TypeError: When the recogniser has another pretext, or none.
    """
    pretext = recognizer.pretext
    if not isinstance(pretext, MaskedAffectivePretext):
        found = 'none' if pretext is None else type(pretext).__name__
        raise TypeError(
            f"the model's pretext is {found}: words are verified and emotions recovered by "
            'MaskedAffectivePretext only; give a config below configs/mart'
        )
    recognizer.eval()
    recognizer.data_preprocessor.encode_cues = True
    pretext.mask_progress, pretext.verify_level = progress, pretext.final_verify_level
    data = recognizer.data_preprocessor(batch, False)
    inputs = data['inputs']
    view = pretext.view(recognizer, inputs)
    is_masked = pretext.choose(view)
    decoded = pretext.recover(recognizer, inputs, view, is_masked)
    total, wanted, weight = 0, 0, 0
    for name, branch in pretext.branches.items():
        for target in branch.targets:
            if not isinstance(target, EmotionDistributionTarget) or target.axis != 'class':
                continue
            context = pretext.context(view, is_masked, inputs, name)
            shape = view.distribution.shape
            present = inputs['present'][name].float()[:, None, None]
            total = total + present * _by_segment(target.predict(decoded[name]).exp(), shape)
            wanted = wanted + present * _by_segment(target.target(inputs, context), shape)
            weight = weight + present
    samples = recognizer.predict(inputs, data['data_samples'])
    if not isinstance(weight, Tensor):
        return Inspection(samples, view, is_masked, None)
    return Inspection(samples, view, is_masked, total / weight, wanted / weight)


def _by_segment(distribution: Tensor, shape: tuple[int, ...]) -> Tensor:
    """(B, S, C) of ``shape`` from distributions of segments, or of equally many steps of each."""
    return distribution.reshape(shape[0], shape[1], -1, shape[2]).mean(2)


def is_true_word(cue: dict, words: list[dict]) -> bool:
    """Whether a cue is one of the planted true words, by its place in time and its concept."""
    middle = (cue['start'] + cue['end']) / 2
    return any(
        word['kind'] == 'true'
        and word['concept'] == cue['concept']
        and word['start'] <= middle <= word['end']
        for word in words
    )
