"""ResNet of a log-mel picture, the audio encoder of VAANet, CTEN and TFN."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from mart_mm.models.layers.residual import PICTURE, BasicBlock, init_residual, residual_layer
from mart_mm.registry import MODELS

COUNTS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}


@MODELS.register_module()
class SpectrogramResNet(BaseModule):
    """ResNet whose first convolution looks along time only; 128 x 100 log-mel become 8 x 4 cells.

    Args:
        depth: 18 or 34.
        base_channels: Channels of the stem.
        strides: Of the four layers, along both axes.

    Raises:
        ValueError: For another depth.
    """

    def __init__(
        self,
        *,
        depth: int = 18,
        base_channels: int = 64,
        strides: tuple[int, int, int, int] = (1, 2, 2, 2),
    ) -> None:
        super().__init__()
        if depth not in COUNTS:
            raise ValueError(f'depth={depth}: choose one of {tuple(COUNTS)}')
        self.conv1 = nn.Conv2d(1, base_channels, (1, 7), (1, 2), (0, 3), bias=False)
        self.bn1 = nn.BatchNorm2d(base_channels)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        layers, inplanes = [], base_channels
        for index, (count, stride) in enumerate(zip(COUNTS[depth], strides, strict=True)):
            planes = base_channels * 2**index
            layers.append(residual_layer(BasicBlock, PICTURE, inplanes, planes, count, stride))
            inplanes = planes
        self.layers = nn.Sequential(*layers)

    def init_weights(self) -> None:
        """Draw new weights."""
        self.apply(init_residual)

    def forward(self, x: Tensor) -> Tensor:
        """Feature map (n, channels, frequency, time) of pictures (n, 1, mel bins, F)."""
        return self.layers(self.maxpool(self.relu(self.bn1(self.conv1(x)))))
