"""The contract of a head: from segments' features to a video's emotion, and to the segments' own."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from mart_mm.models.backbones.base import BackboneOutput
from mart_mm.models.losses.pcce import polarity_consistent_cross_entropy
from mart_mm.models.losses.reduce import global_mean

#: the streams that have tokens, and so can be masked and attended to
STREAMS = ('visual', 'audio')


class AffectiveHead(nn.Module, ABC):
    """Classifies videos by the logits of one or several streams.

    A late-fusion head has a stream per modality, whose losses and logits add up. A head that fuses
    the modalities' features has the one stream ``'fused'``, see :class:`FusedHead`.

    Args:
        polarity: Polarity in {-1, 0, 1} of each class, in the order of the classes.
        penalty: Extra weight of a prediction of the wrong polarity (lambda of PCCE); 0 is
            cross-entropy.
        label_smoothing: Of the cross-entropy.
        loss_weight: Weight of all losses.

    Attributes:
        streams: Names of the streams that have logits.
        num_classes: Emotion classes C.
        polarity: Long (C,).
    """

    streams: tuple[str, ...] = STREAMS

    def __init__(
        self,
        *,
        polarity: list[int],
        penalty: float = 0.5,
        label_smoothing: float = 0.0,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.num_classes = len(polarity)
        self.penalty, self.label_smoothing, self.loss_weight = penalty, label_smoothing, loss_weight
        self.register_buffer('polarity', torch.tensor(polarity), persistent=False)

    @staticmethod
    def segment_features(output: BackboneOutput, num_segments: int) -> dict[str, Tensor]:
        """Features (B, S, D) of each modality, from the backbone's output for BS segments.

        A head may add entries of its own.
        """
        return {
            name: getattr(output, f'{name}_embed').unflatten(0, (-1, num_segments))
            for name in STREAMS
        }

    def stream_present(self, present: dict[str, Tensor]) -> dict[str, Tensor]:
        """Which videos have each of the head's streams, bool (B,), from which modalities they have."""
        return {name: present[name] for name in self.streams}

    @abstractmethod
    def forward(
        self, features: dict[str, Tensor], present: dict[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Logits of the videos.

        Args:
            features: What :meth:`segment_features` returned.
            present: Bool (B,) by modality; None means all. An absent modality takes part in no fusion.

        Returns:
            (B, C) by stream.
        """

    @abstractmethod
    def segment_logits(
        self, features: dict[str, Tensor], present: dict[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Logits (B, S, C) of the segments by stream; arguments as in :meth:`forward`."""

    def classification_loss(self, logits: Tensor, labels: Tensor, is_present: Tensor) -> Tensor:
        """Weighted polarity-consistent cross-entropy, the mean over the videos that are present.

        Args:
            logits: (B, C).
            labels: Long (B,).
            is_present: Bool (B,).
        """
        values = polarity_consistent_cross_entropy(
            logits, labels, self.polarity, self.penalty, self.label_smoothing
        )
        return self.loss_weight * global_mean(values, is_present)

    def loss(
        self, features: dict[str, Tensor], labels: Tensor, present: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Classification loss of each stream over the videos that have it.

        Args:
            features: What :meth:`segment_features` returned.
            labels: Long (B,).
            present: Bool (B,) by modality.

        Returns:
            ``loss_cls_<stream>``, scalars.
        """
        is_present = self.stream_present(present)
        return {
            f'loss_cls_{name}': self.classification_loss(logits, labels, is_present[name])
            for name, logits in self(features, present).items()
        }

    def predict(self, features: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:
        """Class probabilities (B, C): softmax of the summed logits of the streams present."""
        logits, is_present = self(features, present), self.stream_present(present)
        total = sum(logits[name] * is_present[name][:, None] for name in self.streams)
        return total.float().softmax(-1)


class FusedHead(AffectiveHead):
    """A head whose modalities meet before they are classified; present where any of them is.

    Attributes:
        modalities: Names of the modalities that are fused.
    """

    streams = ('fused',)
    modalities: tuple[str, ...] = STREAMS

    def stream_present(self, present: dict[str, Tensor]) -> dict[str, Tensor]:
        """See :class:`AffectiveHead`."""
        return {'fused': torch.stack([present[name] for name in self.modalities]).any(0)}

    def modality_present(
        self, features: dict[str, Tensor], present: dict[str, Tensor] | None
    ) -> dict[str, Tensor]:
        """Which videos have each modality; all where ``present`` is None."""
        if present is not None:
            return {name: present[name] for name in self.modalities}
        visual = features['visual']
        everything = torch.ones(len(visual), dtype=torch.bool, device=visual.device)
        return dict.fromkeys(self.modalities, everything)
