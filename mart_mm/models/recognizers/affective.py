"""The recogniser: a video goes in, its emotion and the emotion's course come out."""

from __future__ import annotations

from typing import NamedTuple

import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from torch import Tensor

from mart_mm.models.backbones.base import BackboneOutput
from mart_mm.models.language_data_preprocessor import LanguageDataPreprocessor
from mart_mm.models.layers.transfer import on_device
from mart_mm.models.recognizers.step import compile_blocks, take_step
from mart_mm.registry import MODELS
from mart_mm.structures.affective_data_sample import AffectiveDataSample


class TrainingStage(NamedTuple):
    """Where a run stands.

    Attributes:
        name: ``'pretrain'`` or ``'finetune'``.
        epoch: Epoch within the stage, from 1.
        num_epochs: Epochs of the stage.
    """

    name: str
    epoch: int
    num_epochs: int

    @property
    def progress(self) -> float:
        """Share of the stage that this epoch completes, in (0, 1]: the paper's alpha (Eq. 7)."""
        return self.epoch / self.num_epochs


@MODELS.register_module()
class AffectiveRecognizer(BaseModel):
    """Backbone, head, and optionally the pretext that teaches them first.

    Args:
        backbone: Config of a two-stream backbone.
        head: Config of the classifiers; gets ``in_channels`` from the backbone.
        pretext: Config of the pretext, or None for the supervised baseline.
        temporal_cam: Config of the temporal class-activation map.
        data_preprocessor: Config of the data preprocessor.
        compile_cfg: Arguments of ``torch.compile`` for the transformer blocks, ``dict()`` for its
            defaults; None leaves them as they are. See
            :func:`mart_mm.models.recognizers.step.compile_blocks`.
        init_cfg: MMEngine's initialisation config.

    Raises:
        TypeError: When the backbone has a text stream and the data preprocessor feeds none.
    """

    def __init__(
        self,
        *,
        backbone: dict,
        head: dict,
        data_preprocessor: dict,
        pretext: dict | None = None,
        temporal_cam: dict | None = None,
        compile_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(MODELS.build(data_preprocessor), init_cfg)
        self.backbone = MODELS.build(backbone)
        if getattr(self.backbone, 'needs_text', False) and not isinstance(
            self.data_preprocessor, LanguageDataPreprocessor
        ):
            raise TypeError(
                f'{type(self.backbone).__name__} has a text stream: set '
                "data_preprocessor.type='LanguageDataPreprocessor', which encodes cues in every stage"
            )
        self.head = MODELS.build(head, default_args=dict(in_channels=self.backbone.embed_dims))
        self.temporal_cam = MODELS.build(temporal_cam or dict(type='TemporalCAM'))
        self.pretext = pretext and MODELS.build(
            pretext,
            default_args=dict(
                backbone=self.backbone,
                head=self.head,
                text_dims=self.data_preprocessor.text_dims,
            ),
        )
        name = 'finetune' if self.pretext is None else 'pretrain'
        if compile_cfg is not None:
            compile_blocks(self, **compile_cfg)
        #: written by StageSwitchHook
        self.stage = TrainingStage(name, 1, 1)

    def forward(
        self,
        inputs: dict,
        data_samples: list[AffectiveDataSample] | None = None,
        mode: str = 'tensor',
    ) -> dict[str, Tensor] | list[AffectiveDataSample] | BackboneOutput:
        """Run one of the three modes of MMEngine.

        Args:
            inputs: Batch as the data preprocessor returns it.
            data_samples: B samples.
            mode: ``'loss'``, ``'predict'`` or ``'tensor'``.

        Returns:
            Losses by name, the samples with predictions, or the backbone's output.

        Raises:
            ValueError: For another mode.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self.extract_feat(inputs)
        raise ValueError(f"mode={mode!r}: choose 'loss', 'predict' or 'tensor'")

    def extract_feat(self, inputs: dict, **kwargs: object) -> BackboneOutput:
        """The backbone's output; ``kwargs`` go to it (masks, ``return_attention``)."""
        if getattr(self.backbone, 'needs_text', False):
            kwargs['cues'] = inputs['cues']
        return self.backbone(inputs['imgs'], inputs['audios'], present=inputs['present'], **kwargs)

    def loss(self, inputs: dict, data_samples: list[AffectiveDataSample]) -> dict[str, Tensor]:
        """The pretext's losses while pretraining, the classification loss afterwards."""
        if self.stage.name == 'pretrain' and self.pretext is not None:
            return self.pretext.loss(self, inputs, data_samples)
        features = self.head.segment_features(self.extract_feat(inputs), inputs['imgs'].shape[1])
        return self.head.loss(features, self.labels(data_samples), inputs['present'])

    @torch.no_grad()
    def predict(
        self, inputs: dict, data_samples: list[AffectiveDataSample]
    ) -> list[AffectiveDataSample]:
        """Fill the prediction fields of the samples."""
        num_segments = inputs['imgs'].shape[1]
        picks_tokens = self.pretext is not None and self.pretext.picks_tokens
        output = self.extract_feat(inputs, return_attention=picks_tokens)
        features = self.head.segment_features(output, num_segments)
        scores = self.head.predict(features, inputs['present'])  # (B, C)
        temporal = self.temporal_cam(self.head, features, inputs['present'])  # (B, S, C)
        levels = None
        if self.pretext is not None:
            levels = self.pretext.cue_levels(temporal, self.head.polarity, inputs)
        masks = self.pretext.picked_tokens(output, levels, inputs) if picks_tokens else None
        for index, sample in enumerate(data_samples):
            sample.pred_scores = scores[index]
            sample.pred_emotion = int(scores[index].argmax())
            sample.pred_sentiment = int(self.head.polarity[sample.pred_emotion])
            sample.temporal_scores = temporal[index]
            if masks is not None:
                sample.masks = masks[index]
            if levels is not None and 'cues' in sample:
                for segment, cues in enumerate(sample.cues):
                    for cue, level in zip(cues, levels[index, segment].tolist(), strict=False):
                        cue['level'] = level
        return data_samples

    def labels(self, data_samples: list[AffectiveDataSample]) -> Tensor:
        """Emotion labels of the samples, long (B,)."""
        labels = [sample.gt_emotion for sample in data_samples]
        return on_device(torch.tensor(labels), self.head.polarity.device)

    def train_step(self, data: dict, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Forward, backward, and the optimiser's step; see :func:`take_step`.

        Args:
            data: Batch as the loader gives it.
            optim_wrapper: Its optimiser's wrapper.

        Returns:
            Losses by name, scalars on the host.

        Raises:
            NonFiniteLossError: Before the step, when the loss is not finite.
        """
        with optim_wrapper.optim_context(self):
            losses = self(**self.data_preprocessor(data, True), mode='loss')
        return take_step(*self.parse_losses(losses), optim_wrapper)

    def val_step(self, data: dict) -> list[AffectiveDataSample]:
        """Predict; samples whose video could not be read pass through without prediction."""
        return self._predict_step(data)

    def test_step(self, data: dict) -> list[AffectiveDataSample]:
        """As :meth:`val_step`."""
        return self._predict_step(data)

    def _predict_step(self, data: dict) -> list[AffectiveDataSample]:
        failed = data.get('failed_samples', [])
        if not data['data_samples']:
            return list(failed)
        batch = self.data_preprocessor(data, False)
        return self.predict(**batch) + list(failed)
