"""MART: masked affective representation learning (Zhang et al., CVPR 2024)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from mart_mm.models.affective.lexicon_attention import LexiconAware, masking_scores
from mart_mm.models.backbones.base import AffectiveBackbone, BackboneOutput
from mart_mm.models.decoders.base import DecodedTokens
from mart_mm.models.heads.polarity_consistent import STREAMS, PolarityConsistentHead
from mart_mm.models.layers.token_masking import check_mask_mode
from mart_mm.models.pretext.base import Pretext
from mart_mm.models.pretext.recovery_branch import RecoveryBranch
from mart_mm.models.targets.base import RecoveryContext
from mart_mm.models.targets.step_scores import step_scores
from mart_mm.registry import MODELS
from mart_mm.structures.affective_data_sample import AffectiveDataSample

if TYPE_CHECKING:
    from mart_mm.models.recognizers.affective import AffectiveRecognizer


class AffectiveView(NamedTuple):
    """What the unmasked pass says about a batch.

    Attributes:
        output: The backbone's output.
        features: Segment features (B, S, D) by stream.
        scores: (B, S, C), temporal emotion scores (Eq. 3) over their temperature, detached.
        step_scores: The same at each stream's time steps (B, S, steps, C), where a target reads them.
        levels: Long (B, S, K), the highest verification level of each cue.
        is_verified: Bool (B, S, K), cues that pass the level in force.
        aware: Lexicon-aware features by stream (Eq. 4).
        has_scores: Bool (B,), videos whose scores are known; None: all.
    """

    output: BackboneOutput
    features: dict[str, Tensor]
    scores: Tensor
    step_scores: dict[str, Tensor]
    levels: Tensor
    is_verified: Tensor
    aware: dict[str, LexiconAware]
    has_scores: Tensor | None = None

    @property
    def distribution(self) -> Tensor:
        """(B, S, C), emotion distribution of each segment."""
        return self.scores.softmax(-1)


@MODELS.register_module()
class MaskedAffectivePretext(Pretext):
    """Mask where the verified words look; recover the patches and the emotion's course.

    Pass 1, unmasked: emotion distribution of each segment (temporal CAM), verified cues, TACL and the
    words' attention. Pass 2, masked: what the masker hid is recovered by a decoder per stream.

    Args:
        backbone: The recogniser's backbone; only its geometry is read.
        head: The recogniser's head; only its number of classes is read.
        text_dims: Width Dl of the cues' features.
        verifier: Config of the lexicon verifier.
        attention: Config of the lexicon attention, one instance per stream.
        tacl: Config of the contrastive loss, or None.
        visual: Masker, decoder and targets of the frames, or None to leave them unmasked.
        audio: The same for the sound.
        aux_classifier: Config of a classifier on lexicon-aware features, or None (paper).
        verify_level: 0 to 3: cues must pass E1 to this level (0: every word of the lexicon).
        self_attention_share: Share of the class token's attention in the masking scores of segments
            with verified words (0: paper; official code: 0.9). Without words it is all there is.
        mask_stage: ``'input'``: a second, masked pass of the backbone; ``'decoder'`` (official code):
            one unmasked pass, tokens are hidden from the decoder only.
        mask_mode: ``'drop'``: hidden tokens enter no block; ``'token'``: mask tokens do.
        with_cls_loss: Also minimise the classification loss (paper Sec. 3.2). False reads no label.
        freeze: Train none of the pretext's own parameters, as the official code does by accident.

    Raises:
        ValueError: For unknown modes or a ``verify_level`` out of range.
    """

    def __init__(
        self,
        *,
        backbone: AffectiveBackbone,
        head: PolarityConsistentHead,
        text_dims: int,
        verifier: dict,
        attention: dict,
        tacl: dict | None,
        visual: dict | None,
        audio: dict | None,
        aux_classifier: dict | None = None,
        verify_level: int = 3,
        self_attention_share: float = 0.0,
        mask_stage: str = 'input',
        mask_mode: str = 'drop',
        with_cls_loss: bool = True,
        freeze: bool = False,
    ) -> None:
        super().__init__()
        check_mask_mode(mask_mode)
        if mask_stage not in ('input', 'decoder'):
            raise ValueError(f"mask_stage={mask_stage!r}: choose 'input' or 'decoder'")
        if verify_level not in range(4):
            raise ValueError(f'verify_level={verify_level}: choose 0, 1, 2 or 3')
        self.mask_stage, self.mask_mode, self.with_cls_loss = mask_stage, mask_mode, with_cls_loss
        self.self_attention_share = self_attention_share
        #: set by the hooks during training
        self.verify_level = self.final_verify_level = verify_level
        self.mask_progress = 0.0

        dims, num_classes = backbone.embed_dims, head.num_classes
        self.verifier = MODELS.build(verifier)
        self.attention = nn.ModuleDict(
            {
                name: MODELS.build(attention, default_args=dict(dims=dims, text_dims=text_dims))
                for name in STREAMS
            }
        )
        self.tacl = tacl and MODELS.build(tacl, default_args=dict(dims=dims))
        self.aux_classifier = aux_classifier and MODELS.build(
            aux_classifier, default_args=dict(dims=dims, num_classes=num_classes)
        )
        self.branches = nn.ModuleDict()
        for name, branch in (('visual', visual), ('audio', audio)):
            if branch is None:
                continue
            can_drop = getattr(backbone, name).can_drop
            is_dropped = mask_stage == 'input' and mask_mode == 'drop' and can_drop
            self.branches[name] = RecoveryBranch(
                **branch,
                stream=backbone.streams[name],
                in_dims=dims,
                num_classes=num_classes,
                is_dropped=is_dropped,
                with_mask_token=is_dropped or mask_stage == 'decoder',
            )
        if freeze:
            self.requires_grad_(False)

    def loss(
        self,
        recognizer: AffectiveRecognizer,
        inputs: dict,
        data_samples: list[AffectiveDataSample],
    ) -> dict[str, Tensor]:
        """All losses of MART: classification, TACL, patches, emotion distribution."""
        view = self.view(recognizer, inputs)
        losses = self.affective_losses(recognizer, inputs, data_samples, view)
        is_masked = self.choose(view)
        decoded = self.recover(recognizer, inputs, view, is_masked)
        return losses | self.recovery_losses(inputs, view, is_masked, decoded)

    def affective_losses(
        self,
        recognizer: AffectiveRecognizer,
        inputs: dict,
        data_samples: list[AffectiveDataSample],
        view: AffectiveView,
    ) -> dict[str, Tensor]:
        """Classification and TACL."""
        present = inputs['present']
        losses: dict[str, Tensor] = {}
        if self.with_cls_loss:
            labels = recognizer.labels(data_samples)
            losses |= recognizer.head.loss(view.features, labels, present)
            if self.aux_classifier is not None:
                # by every word found, as in the official code
                losses |= self.aux_classifier(
                    view.aware, inputs['cues']['valid'], labels, recognizer.head.polarity, present
                )
        if self.tacl is not None:
            words = inputs['cues']['features']
            losses |= self.tacl(view.aware, words, view.is_verified, present)
        return losses

    def recovery_losses(
        self,
        inputs: dict,
        view: AffectiveView,
        is_masked: dict[str, Tensor],
        decoded: dict[str, DecodedTokens],
    ) -> dict[str, Tensor]:
        """Losses of all targets of all streams."""
        losses: dict[str, Tensor] = {}
        for name, branch in self.branches.items():
            context = self.context(view, is_masked, inputs, name)
            branch_losses = branch.loss(decoded[name], inputs, context)
            losses |= {f'{key}_{name}': value for key, value in branch_losses.items()}
        return losses

    def view(self, recognizer: AffectiveRecognizer, inputs: dict) -> AffectiveView:
        """The unmasked pass: distribution, verified cues, lexicon-aware features."""
        output = recognizer.extract_feat(inputs, return_attention=True)
        features = recognizer.head.segment_features(output, inputs['imgs'].shape[1])
        scores = self.temporal_scores(recognizer, inputs, features)
        with torch.no_grad():
            fine = {
                name: step_scores(recognizer, output, inputs['present'], branch.num_steps)
                for name, branch in self.branches.items()
                if branch.needs_step_scores
            }
        levels, is_verified = self.verify(recognizer, inputs, scores)
        aware = self.lexicon_aware(inputs, output)
        return AffectiveView(output, features, scores, fine, levels, is_verified, aware)

    @torch.no_grad()
    def temporal_scores(
        self, recognizer: AffectiveRecognizer, inputs: dict, features: dict[str, Tensor]
    ) -> Tensor:
        """Temporal emotion scores (Eq. 3) over their temperature, (B, S, C)."""
        cam = recognizer.temporal_cam
        return cam.scores(recognizer.head, features, inputs['present']) / cam.temperature

    @torch.no_grad()
    def verify(
        self, recognizer: AffectiveRecognizer, inputs: dict, scores: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The cues' levels by these temporal scores, and which cues pass the level in force."""
        levels = self.cue_levels(scores.softmax(-1), recognizer.head.polarity, inputs)
        return levels, inputs['cues']['valid'] & (levels >= self.verify_level)

    def lexicon_aware(self, inputs: dict, output: BackboneOutput) -> dict[str, LexiconAware]:
        """Lexicon-aware features by stream (Eq. 4), from the tokens that the backbone returned."""
        words = inputs['cues']['features'].flatten(0, 1)  # (BS, K, Dl)
        return {
            name: self.attention[name](words, getattr(output, f'{name}_tokens')) for name in STREAMS
        }

    def scores(self, view: AffectiveView, name: str) -> Tensor:
        """Relevance of each token for masking (Eq. 6): where the verified words look.

        Segments without verified words take the attention of the segment's own feature.

        Returns:
            (BS, N), or (BS, visible) where the backbone dropped tokens; detached.
        """
        return masking_scores(
            getattr(view.output, f'{name}_attention').detach(),
            view.aware[name].attention.detach(),
            view.is_verified.flatten(0, 1),
            self.self_attention_share,
        )

    def choose(
        self, view: AffectiveView, generator: torch.Generator | None = None
    ) -> dict[str, Tensor]:
        """Which tokens to hide, bool (BS, N) by stream (Eq. 7)."""
        return self.hide({name: self.scores(view, name) for name in self.branches}, generator)

    def hide(
        self, scores: dict[str, Tensor], generator: torch.Generator | None = None
    ) -> dict[str, Tensor]:
        """Which tokens to hide by the relevance (BS, N) of a stream's tokens, bool (BS, N)."""
        is_masked = {}
        for name, branch in self.branches.items():
            is_masked[name] = branch.masker(
                scores[name],
                branch.stream.grid,
                self.mask_progress,
                batch_size=scores[name].shape[0],
                device=scores[name].device,
                generator=generator,
            )
        return is_masked

    def recover(
        self,
        recognizer: AffectiveRecognizer,
        inputs: dict,
        view: AffectiveView,
        is_masked: dict[str, Tensor],
    ) -> dict[str, DecodedTokens]:
        """Decoder features of the streams that are masked."""
        output = view.output
        if self.mask_stage == 'input' and is_masked:
            output = recognizer.extract_feat(
                inputs,
                visual_is_masked=is_masked.get('visual'),
                audio_is_masked=is_masked.get('audio'),
                mask_mode=self.mask_mode,
            )
        return self.decode(output, is_masked)

    def decode(
        self, output: BackboneOutput, is_masked: dict[str, Tensor]
    ) -> dict[str, DecodedTokens]:
        """Decoder features of the streams that are masked, from a masked pass."""
        return {
            name: branch.decode(
                getattr(output, f'{name}_tokens'), getattr(output, f'{name}_embed'), is_masked[name]
            )
            for name, branch in self.branches.items()
        }

    @staticmethod
    def context(
        view: AffectiveView, is_masked: dict[str, Tensor], inputs: dict, name: str
    ) -> RecoveryContext:
        """What the targets of one stream may need."""
        num_segments = view.scores.shape[1]
        has_scores = view.has_scores
        return RecoveryContext(
            is_masked[name],
            inputs['present'][name].repeat_interleave(num_segments),
            view.scores,
            view.step_scores.get(name),
            None if has_scores is None else has_scores.repeat_interleave(num_segments),
        )

    def cue_levels(self, distribution: Tensor, polarity: Tensor, inputs: dict) -> Tensor:
        """See :class:`Pretext`."""
        return self.verifier(distribution, polarity, inputs['cues'])
