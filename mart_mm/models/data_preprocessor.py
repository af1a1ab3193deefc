"""From a collated batch to what the recogniser takes: moved, normalised, cues encoded."""

from __future__ import annotations

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mart_mm.models.layers.transfer import on_device
from mart_mm.registry import MODELS
from mart_mm.structures.affective_data_sample import AffectiveDataSample


class _Frozen:
    """Holds the text encoder outside the module tree: not trained, not saved, not copied by EMA."""

    def __init__(self, encoder: object) -> None:
        self.encoder = encoder

    def __deepcopy__(self, memo: dict) -> _Frozen:
        return self


@MODELS.register_module()
class AffectiveDataPreprocessor(BaseDataPreprocessor):
    """Normalise on the device, and give each cue its features.

    Args:
        mean: Of the frames' channels, on the scale 0-255 (default: ImageNet, as VideoMAE's weights expect).
        std: Likewise.
        audio_mean: Of the log-mel (default: AudioSet, as AST's weights expect).
        audio_std: Likewise; the log-mel is divided by twice this, as AST does.
        text_encoder: Config of the encoder of cues.
    """

    def __init__(
        self,
        *,
        text_encoder: dict,
        mean: tuple[float, ...] = (123.675, 116.28, 103.53),
        std: tuple[float, ...] = (58.395, 57.12, 57.375),
        audio_mean: float = -4.2677393,
        audio_std: float = 4.5689974,
    ) -> None:
        super().__init__(non_blocking=True)
        self.register_buffer('mean', torch.tensor(mean).view(3, 1, 1, 1), False)
        self.register_buffer('std', torch.tensor(std).view(3, 1, 1, 1), False)
        self.audio_mean, self.audio_std = audio_mean, audio_std
        self._text = _Frozen(MODELS.build(text_encoder))
        #: whether cues get features; only pretraining needs them
        self.encode_cues = True

    @property
    def text_dims(self) -> int:
        """Width Dl of the cues' features."""
        return self._text.encoder.dims

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare a batch.

        Args:
            data: ``inputs`` and ``data_samples`` as the collate function returns them.
            training: Not used: augmentation happens in the pipeline.

        Returns:
            ``inputs`` with ``pixels`` (uint8), ``imgs``, ``audios``, ``cues`` (with ``features``),
            ``present``, all on the model's device, and ``second`` (``imgs`` and ``audios``) where the
            pipeline made two views; and ``data_samples``.
        """
        data = self.cast_data(data)
        inputs, samples = dict(data['inputs']), data['data_samples']
        inputs['pixels'] = inputs['imgs']  # uint8 (B, S, 3, T, H, W)
        present = inputs['present']
        inputs |= self.normalise(inputs, present)
        if 'second' in inputs:
            inputs['second'] = self.normalise(inputs['second'], present)
        if self.encode_cues:
            cues = dict(inputs['cues'])
            cues['features'] = self._features(samples, cues['valid'])
            inputs['cues'] = cues
        return dict(inputs=inputs, data_samples=samples)

    def normalise(self, view: dict[str, Tensor], present: dict[str, Tensor]) -> dict[str, Tensor]:
        """Normalised ``imgs`` and ``audios`` of a view; the sound of silent videos is zero."""
        audios = (view['audios'] - self.audio_mean) / (2 * self.audio_std)
        has_audio = present['audio'][:, None, None, None]
        return dict(
            imgs=view['imgs'].to(self.mean.dtype, copy=True).sub_(self.mean).div_(self.std),
            audios=torch.where(has_audio, audios, torch.zeros_like(audios)),
        )

    def _features(self, samples: list[AffectiveDataSample], is_valid: Tensor) -> Tensor:
        """Features (B, S, K, Dl) of the cues, zero where there is none."""
        features = torch.zeros(*is_valid.shape, self.text_dims)
        texts = [text for sample in samples for text in sample.texts]
        cues = [segment for sample in samples for segment in sample.cues]
        encoded = self._text.encoder.encode(texts, cues, is_valid.device)
        flat = features.flatten(0, 1)  # (BS, K, Dl)
        for index, values in enumerate(encoded):
            flat[index, : len(values)] = values
        return on_device(features, is_valid.device)
