"""The contract of a pretext: a module that teaches the recogniser's backbone first."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from torch import Tensor, nn

from mart_mm.structures.affective_data_sample import AffectiveDataSample

if TYPE_CHECKING:
    from mart_mm.models.backbones.base import BackboneOutput
    from mart_mm.models.recognizers.affective import AffectiveRecognizer


class Pretext(nn.Module, ABC):
    """Owns its parameters; the recogniser owns it, so one optimiser sees all of them.

    Attributes:
        min_videos: Videos that a batch must have.
    """

    min_videos = 1
    #: whether :meth:`picked_tokens` says anything; it then needs the tokens' attention
    picks_tokens = False

    @abstractmethod
    def loss(
        self,
        recognizer: AffectiveRecognizer,
        inputs: dict,
        data_samples: list[AffectiveDataSample],
    ) -> dict[str, Tensor]:
        """Losses of the pretraining stage by name.

        Args:
            recognizer: Whose backbone and head are taught.
            inputs: Batch as the data preprocessor returns it.
            data_samples: B samples.
        """

    def cue_levels(self, distribution: Tensor, polarity: Tensor, inputs: dict) -> Tensor | None:
        """Verification level of each cue, (B, S, K), or None for a pretext without words.

        Args:
            distribution: (B, S, C), the segments' emotion distribution.
            polarity: Long (C,), polarity of each class.
            inputs: Batch.
        """
        return None

    def picked_tokens(self, output: BackboneOutput, levels: Tensor, inputs: dict) -> list[dict]:
        """What emotion-oriented masking picks in each of B videos; see ``AffectiveDataSample.masks``.

        Args:
            output: Of the backbone, with attention, nothing hidden.
            levels: Long (B, S, K), of :meth:`cue_levels`.
            inputs: Batch, with features of the cues.

        Raises:
            NotImplementedError: Where :attr:`picks_tokens` is False; nobody asks then.
        """
        raise NotImplementedError(f'{type(self).__name__} picks no tokens')
