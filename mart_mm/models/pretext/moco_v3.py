"""MoCo v3 (Chen, Xie, He: An Empirical Study of Training Self-Supervised Vision Transformers, ICCV 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mart_mm.models.backbones.base import AffectiveBackbone
from mart_mm.models.heads.polarity_consistent import STREAMS, PolarityConsistentHead
from mart_mm.models.layers.momentum import MomentumCopy, cosine_momentum
from mart_mm.models.losses.moco import moco_loss
from mart_mm.models.pretext.base import Pretext
from mart_mm.registry import MODELS
from mart_mm.structures.affective_data_sample import AffectiveDataSample

if TYPE_CHECKING:
    from mart_mm.models.recognizers.affective import AffectiveRecognizer


def projection(
    dims: int, hidden: int, out: int, layers: int, last_norm: bool = True
) -> nn.Sequential:
    """MoCo v3's MLP: linear layers without bias, batch norm after each, the last one not affine.

    Args:
        dims: Width of the input.
        hidden: Width between the layers.
        out: Width of the output.
        layers: Number of linear layers.
        last_norm: Whether the last layer is normalised too.
    """
    modules: list[nn.Module] = []
    for index in range(layers):
        is_last = index == layers - 1
        width = out if is_last else hidden
        modules.append(nn.Linear(dims if index == 0 else hidden, width, bias=False))
        if not is_last:
            modules += [nn.BatchNorm1d(width), nn.ReLU(inplace=True)]
        elif last_norm:
            modules.append(nn.BatchNorm1d(width, affine=False))
    return nn.Sequential(*modules)


@MODELS.register_module()
class MoCoV3(Pretext):
    """Two views of a video attract each other, views of other videos do not; one loss per stream.

    A view's feature is the mean of its segments' features. Needs ``TwoViews`` in the pipeline. Videos
    without sound take no part in the sound's loss beyond standing among the negatives.

    Args:
        backbone: The recogniser's backbone.
        head: Not used: no label is read.
        text_dims: Not used.
        temperature: T.
        momentum: Of the key encoder at the start; it rises to 1 along half a cosine.
        hidden_dims: Width inside projector and predictor.
        dims: Width of the contrasted features.

    Raises:
        ValueError: From ``loss``, for a batch of one video, or one view.
    """

    min_videos = 2

    def __init__(
        self,
        *,
        backbone: AffectiveBackbone,
        head: PolarityConsistentHead,
        text_dims: int,
        temperature: float = 0.2,
        momentum: float = 0.99,
        hidden_dims: int = 4096,
        dims: int = 256,
    ) -> None:
        super().__init__()
        self.temperature, self.momentum = temperature, momentum
        self.projectors = nn.ModuleDict(
            {name: projection(backbone.embed_dims, hidden_dims, dims, 3) for name in STREAMS}
        )
        self.predictors = nn.ModuleDict(
            {name: projection(dims, hidden_dims, dims, 2) for name in STREAMS}
        )
        self.key_backbone = MomentumCopy(backbone)
        self.key_projectors = MomentumCopy(self.projectors)

    def loss(
        self,
        recognizer: AffectiveRecognizer,
        inputs: dict,
        data_samples: list[AffectiveDataSample],
    ) -> dict[str, Tensor]:
        """``loss_moco_visual`` and ``loss_moco_audio``, each the sum over both directions."""
        self._check(inputs)
        momentum = cosine_momentum(self.momentum, recognizer.stage.progress)
        self.key_backbone.update(recognizer.backbone, momentum)
        self.key_projectors.update(self.projectors, momentum)
        views = [inputs, inputs | inputs['second']]
        queries = [self._queries(recognizer, view) for view in views]
        keys = [self._keys(view) for view in views]
        return {
            f'loss_moco_{name}': sum(
                moco_loss(q[name], k[name], inputs['present'][name], self.temperature)
                for q, k in zip(queries, reversed(keys), strict=True)
            )
            for name in STREAMS
        }

    def _check(self, inputs: dict) -> None:
        if 'second' not in inputs:
            raise ValueError(
                'MoCo v3 compares two views of a video: let the training pipeline be a TwoViews'
            )
        if len(inputs['imgs']) < self.min_videos:
            raise ValueError(
                'MoCo v3 contrasts the videos of a batch, and here a batch is one video: set '
                'train_dataloader.batch_size to 2 or more (16 or more over all processes works well; '
                'accumulation does not help) and train_dataloader.drop_last=True'
            )

    @staticmethod
    def _features(backbone: nn.Module, view: dict) -> dict[str, Tensor]:
        """Mean over segments of each stream's features, (B, D)."""
        output = backbone(view['imgs'], view['audios'], present=view['present'])
        segments = view['imgs'].shape[1]
        return {
            name: getattr(output, f'{name}_embed').unflatten(0, (-1, segments)).mean(1)
            for name in STREAMS
        }

    def _queries(self, recognizer: AffectiveRecognizer, view: dict) -> dict[str, Tensor]:
        features = self._features(recognizer.backbone, view)
        return {
            name: self.predictors[name](self.projectors[name](features[name])) for name in STREAMS
        }

    @torch.no_grad()
    def _keys(self, view: dict) -> dict[str, Tensor]:
        features = self._features(self.key_backbone, view)
        return {name: self.key_projectors.module[name](features[name]) for name in STREAMS}
