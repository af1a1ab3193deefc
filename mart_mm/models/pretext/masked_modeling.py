"""Masked modelling of picture or sound: what VideoMAE, MaskFeat, MILAN, AudioMAE, SSAST have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mart_mm.models.backbones.base import AffectiveBackbone
from mart_mm.models.heads.base import AffectiveHead
from mart_mm.models.layers.modes import evaluating
from mart_mm.models.layers.token_masking import check_mask_mode
from mart_mm.models.pretext.base import Pretext
from mart_mm.models.pretext.recovery_branch import RecoveryBranch
from mart_mm.models.targets.base import RecoveryContext
from mart_mm.registry import MODELS
from mart_mm.structures.affective_data_sample import AffectiveDataSample

if TYPE_CHECKING:
    from mart_mm.models.recognizers.affective import AffectiveRecognizer


@MODELS.register_module()
class MaskedModeling(Pretext):
    """Hide tokens, recover what was there; no label is read.

    A branch, ``visual`` or ``audio``, has a ``masker``, a ``decoder`` and ``targets``, and may have an
    ``importance``, which scores the tokens for maskers that rank, and a ``decoder_masker``. A stream
    without a branch is seen whole, as context. The published methods are configs of this class.

    Args:
        backbone: The recogniser's backbone; only its geometry is read.
        head: Only its number of classes is read.
        text_dims: Not used: words take no part.
        visual: Branch of the frames, or None.
        audio: Branch of the sound, or None.
        mask_mode: ``'drop'``: hidden tokens enter no block; ``'token'``: mask tokens do.

    Raises:
        ValueError: Without any branch; for an unknown mode.
    """

    #: what MART's official code does differently: here a masked pass of the backbone is all there is
    mask_stage = 'input'

    def __init__(
        self,
        *,
        backbone: AffectiveBackbone,
        head: AffectiveHead,
        text_dims: int,
        visual: dict | None = None,
        audio: dict | None = None,
        mask_mode: str = 'drop',
    ) -> None:
        super().__init__()
        check_mask_mode(mask_mode)
        branches = {
            name: dict(branch)
            for name, branch in (('visual', visual), ('audio', audio))
            if branch is not None
        }
        if not branches:
            raise ValueError('MaskedModeling hides nothing: give visual, audio or both')
        self.mask_mode = mask_mode
        #: set by a hook during training
        self.mask_progress = 0.0
        self.importances, self.branches = nn.ModuleDict(), nn.ModuleDict()
        for name, branch in branches.items():
            importance = branch.pop('importance', None)
            if importance is not None:
                self.importances[name] = MODELS.build(importance)
            is_dropped = mask_mode == 'drop' and getattr(backbone, name).can_drop
            self.branches[name] = RecoveryBranch(
                **branch,
                stream=backbone.streams[name],
                in_dims=backbone.embed_dims,
                num_classes=head.num_classes,
                is_dropped=is_dropped,
                with_mask_token=is_dropped,
            )

    def loss(
        self,
        recognizer: AffectiveRecognizer,
        inputs: dict,
        data_samples: list[AffectiveDataSample],
    ) -> dict[str, Tensor]:
        """Losses of the targets, each with the name of its stream; labels are not read."""
        is_masked = self.choose(recognizer, inputs)
        output = recognizer.extract_feat(
            inputs,
            visual_is_masked=is_masked.get('visual'),
            audio_is_masked=is_masked.get('audio'),
            mask_mode=self.mask_mode,
        )
        losses: dict[str, Tensor] = {}
        for name, branch in self.branches.items():
            decoded = branch.decode(
                getattr(output, f'{name}_tokens'), getattr(output, f'{name}_embed'), is_masked[name]
            )
            is_present = inputs['present'][name].repeat_interleave(inputs['imgs'].shape[1])
            context = RecoveryContext(is_masked[name], is_present)
            branch_losses = branch.loss(decoded, inputs, context)
            losses |= {f'{key}_{name}': value for key, value in branch_losses.items()}
        return losses

    @torch.no_grad()
    def choose(
        self,
        recognizer: AffectiveRecognizer,
        inputs: dict,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Which tokens to hide.

        Args:
            recognizer: Asked for an unmasked pass, as in evaluation, where an importance reads one.
            inputs: Batch.
            generator: Source of randomness, on the device of the inputs; None takes the global one.

        Returns:
            Bool (BS, N) by stream.
        """
        output = None
        if any(importance.needs_output for importance in self.importances.values()):
            with evaluating(recognizer.backbone):
                output = recognizer.extract_feat(inputs, return_attention=True)
        batch_size = inputs['imgs'].shape[0] * inputs['imgs'].shape[1]
        is_masked = {}
        for name, branch in self.branches.items():
            scores = None
            if name in self.importances:
                scores = self.importances[name](inputs, branch.stream, output, generator=generator)
            is_masked[name] = branch.masker(
                scores,
                branch.stream.grid,
                self.mask_progress,
                batch_size=batch_size,
                device=inputs['imgs'].device,
                generator=generator,
            )
        return is_masked
