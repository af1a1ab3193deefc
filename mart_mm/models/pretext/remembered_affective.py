"""MART in one pass: where to mask and what to recover are remembered from a video's last visit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mart_mm.models.affective.video_memory import VideoMemory
from mart_mm.models.backbones.base import AffectiveBackbone
from mart_mm.models.heads.polarity_consistent import PolarityConsistentHead
from mart_mm.models.layers.identity import identities
from mart_mm.models.layers.token_masking import visible_indices
from mart_mm.models.pretext.masked_affective import AffectiveView, MaskedAffectivePretext
from mart_mm.registry import MODELS
from mart_mm.structures.affective_data_sample import AffectiveDataSample

if TYPE_CHECKING:
    from mart_mm.models.recognizers.affective import AffectiveRecognizer

SCORES = 'emotion'


@MODELS.register_module()
class RememberedAffectivePretext(MaskedAffectivePretext):
    """MART with a single, masked pass of the backbone per step; hidden tokens are dropped.

    Classification, lexicon attention, TACL and recovery are computed on the masked pass. What MART
    takes from its unmasked pass is remembered from the last visit of the video, an epoch ago:

    - the temporal emotion scores (Eq. 3), by which words are verified and which are to be recovered;
    - the tokens' relevance (Eq. 6), by which they are masked. It is kept relative to the mean over the
      tokens that were seen. Hidden tokens have no attention: theirs approaches the mean,
      ``1 + retention * (old - 1)``, so that what stays hidden is looked at again.

    A video that is visited for the first time is masked at random, equally much, its words are verified
    by the scores of the masked pass, and it takes no part in the recovery of the distribution.

    What is approximate: scores and attention are those of older weights on a picture with hidden
    tokens. Relevance belongs to places of the cropped picture, and scores to segments by number: when
    the next visit crops or samples elsewhere, it finds other content there.

    Args:
        backbone: The recogniser's backbone; both streams must be able to drop tokens.
        head: The recogniser's head.
        num_videos: Videos that are remembered, at least as many as the training set has.
        num_segments: Segments S of a video.
        retention: Share of its distance from the mean that a hidden token's relevance keeps, in [0, 1].
        options: As in :class:`MaskedAffectivePretext`, except ``mask_stage`` and ``mask_mode``.

    Raises:
        ValueError: For a ``retention`` out of range, a stream that cannot drop, or a target of tubelets,
            whose scores need all tokens.
    """

    def __init__(
        self,
        *,
        backbone: AffectiveBackbone,
        head: PolarityConsistentHead,
        num_videos: int,
        num_segments: int,
        retention: float = 0.5,
        **options: object,
    ) -> None:
        super().__init__(
            backbone=backbone, head=head, mask_stage='input', mask_mode='drop', **options
        )
        if not 0 <= retention <= 1:
            raise ValueError(f'retention={retention}: give a number in [0, 1]')
        for name, branch in self.branches.items():
            if not branch.is_dropped:
                raise ValueError(
                    f'{type(self).__name__} drops hidden tokens, which the {name} stream cannot: '
                    'use MaskedAffectivePretext'
                )
            if branch.needs_step_scores:
                raise ValueError(
                    f"{type(self).__name__}: the {name} stream's target has granularity='tubelet', "
                    "whose scores need all tokens: set granularity='segment'"
                )
        self.num_segments, self.retention = num_segments, retention
        shapes = {name: (num_segments, b.stream.num_tokens) for name, b in self.branches.items()}
        self.memory = VideoMemory(num_videos, shapes | {SCORES: (num_segments, head.num_classes)})

    def loss(
        self,
        recognizer: AffectiveRecognizer,
        inputs: dict,
        data_samples: list[AffectiveDataSample],
    ) -> dict[str, Tensor]:
        """All losses of MART, and ``remembered``, the share of known videos, for the log.

        Raises:
            ValueError: When videos have another number of segments.
        """
        if inputs['imgs'].shape[1] != self.num_segments:
            raise ValueError(
                f'videos of {inputs["imgs"].shape[1]} segments do not fit '
                f'{type(self).__name__}.num_segments={self.num_segments}'
            )
        names = [sample.video_id for sample in data_samples]
        identity = identities(names, self.memory.identity.device)
        kept, is_known = self.memory.read(identity)
        is_masked = self.choose_by_memory(kept, is_known)
        output = recognizer.extract_feat(
            inputs,
            visual_is_masked=is_masked.get('visual'),
            audio_is_masked=is_masked.get('audio'),
            mask_mode=self.mask_mode,
            return_attention=True,
        )
        features = recognizer.head.segment_features(output, self.num_segments)
        seen = self.temporal_scores(recognizer, inputs, features)
        scores = torch.where(is_known[:, None, None], kept[SCORES], seen)
        levels, is_verified = self.verify(recognizer, inputs, scores)
        aware = self.lexicon_aware(inputs, output)
        view = AffectiveView(
            output, features, scores, {}, levels, is_verified, aware, has_scores=is_known
        )
        losses = self.affective_losses(recognizer, inputs, data_samples, view)
        decoded = self.decode(output, is_masked)
        losses |= self.recovery_losses(inputs, view, is_masked, decoded)
        self.memory.write(identity, self.relevance(view, kept, is_masked) | {SCORES: seen})
        return losses | dict(remembered=is_known.float().mean())

    def choose_by_memory(
        self,
        kept: dict[str, Tensor],
        is_known: Tensor,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Which tokens to hide, bool (BS, N) by stream: by relevance (Eq. 7), or at random.

        Args:
            kept: What the memory holds of the videos, relevance (B, S, N) by stream.
            is_known: Bool (B,), videos that it knows.
            generator: Source of randomness.
        """
        scores = {}
        for name in self.branches:
            noise = torch.rand(kept[name].shape, generator=generator, device=is_known.device)
            scores[name] = torch.where(is_known[:, None, None], kept[name], noise).flatten(0, 1)
        return self.hide(scores, generator)

    @torch.no_grad()
    def relevance(
        self, view: AffectiveView, kept: dict[str, Tensor], is_masked: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """The tokens' relevance after this visit, (B, S, N) by stream; arguments as elsewhere."""
        is_known = view.has_scores[:, None, None]
        found = {}
        for name in self.branches:
            old = torch.where(is_known, kept[name], 1.0)
            found[name] = renew(
                old.flatten(0, 1), self.scores(view, name), is_masked[name], self.retention
            ).view_as(old)
        return found


def renew(old: Tensor, seen: Tensor, is_masked: Tensor, retention: float) -> Tensor:
    """Relevance of all tokens, relative to the mean, from that of those which were seen.

    Args:
        old: (BS, N), from earlier visits; 1 is the mean.
        seen: (BS, visible), of the visible tokens in their order, not negative, on any scale.
        is_masked: Bool (BS, N), the same number of True in each row.
        retention: Share of its distance from the mean that a hidden token's relevance keeps.

    Returns:
        (BS, N).
    """
    seen = seen.to(old.dtype)
    relative = seen / seen.mean(1, keepdim=True).clamp(min=torch.finfo(old.dtype).tiny)
    return (1 + retention * (old - 1)).scatter(1, visible_indices(is_masked), relative)
