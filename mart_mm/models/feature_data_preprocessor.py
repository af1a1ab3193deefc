"""From a collated batch of precomputed features to what the recogniser takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mart_mm.models.data_preprocessor import AffectiveDataPreprocessor
from mart_mm.registry import MODELS

_STREAMS = dict(imgs='visual', audios='audio')
_LARGEST = 20.0  # of a normalised feature's mean and standard deviation


@MODELS.register_module()
class FeatureDataPreprocessor(AffectiveDataPreprocessor):
    """Normalise each dimension of the features; what is absent is zero.

    Args:
        text_encoder: Config of the encoder of cues.
        dims: D of each modality.
        stats: File of ``tools/data/feature_stats.py``: mean and standard deviation of each dimension.
            It is read when training starts; checkpoints hold what it says. Without it features must
            come normalised; a batch that is far from it is refused.

    Raises:
        FileNotFoundError: From ``init_weights``, when there is no such file.
        ValueError: From ``init_weights``, when it is of other features; from ``forward``, for
            features that are not normalised.
    """

    def __init__(
        self, *, text_encoder: dict, dims: dict[str, int], stats: str | None = None
    ) -> None:
        super().__init__(text_encoder=text_encoder)
        self.stats = stats
        for name in _STREAMS.values():
            self.register_buffer(f'{name}_feature_mean', torch.zeros(dims[name]))
            self.register_buffer(f'{name}_feature_std', torch.ones(dims[name]))

    def init_weights(self) -> None:
        """Read the statistics."""
        if self.stats is None:
            return
        if not Path(self.stats).is_file():
            raise FileNotFoundError(
                f'{self.stats} does not exist: write it with '
                f'tools/data/feature_stats.py MANIFEST --out {self.stats}'
            )
        with np.load(self.stats, allow_pickle=False) as content:
            for name in _STREAMS.values():
                for part in ('mean', 'std'):
                    buffer = getattr(self, f'{name}_feature_{part}')
                    values = torch.from_numpy(content[f'{name}_{part}'].astype(np.float32))
                    if values.shape != buffer.shape:
                        raise ValueError(
                            f'{self.stats}: {name} features of {len(values)} dimensions, the config '
                            f'says {len(buffer)}'
                        )
                    buffer.copy_(values)

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare a batch; see :class:`AffectiveDataPreprocessor`.

        Returns:
            As there, without ``pixels``; ``imgs`` and ``audios`` are (B, S, N, D).
        """
        batch = super().forward(data, training)
        batch['inputs'].pop('pixels')
        return batch

    def normalise(self, view: dict[str, Tensor], present: dict[str, Tensor]) -> dict[str, Tensor]:
        """Normalised tokens of both modalities; zero where there is none."""
        normal = {}
        for key, name in _STREAMS.items():
            x = view[key].float()
            is_present = present[name][:, None, None, None]
            x = (x - getattr(self, f'{name}_feature_mean')) / getattr(self, f'{name}_feature_std')
            normal[key] = torch.where(is_present, x, torch.zeros_like(x))
            if self.stats is None:
                self._check(normal[key], name)
        return normal

    @staticmethod
    def _check(x: Tensor, name: str) -> None:
        largest = max(x.mean((0, 1, 2)).abs().max().item(), x.std((0, 1, 2)).max().item())
        if largest > _LARGEST:
            raise ValueError(
                f'{name} features are not normalised (a dimension has mean or standard deviation '
                f'{largest:.3g}) and would not train: run tools/data/feature_stats.py and set '
                'model.data_preprocessor.stats'
            )
