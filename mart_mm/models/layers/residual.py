"""Residual blocks of convolutional networks, for pictures (2-D) and clips (3-D) alike.

Parts are named as in torchvision and in Hara's 3-D ResNets, so that published weights fit.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn


class Axes(NamedTuple):
    """The layers of one dimensionality."""

    conv: type[nn.Module]
    norm: type[nn.Module]


PICTURE = Axes(nn.Conv2d, nn.BatchNorm2d)
CLIP = Axes(nn.Conv3d, nn.BatchNorm3d)


class BasicBlock(nn.Module):
    """Two convolutions of size 3 (He et al., CVPR 2016).

    Args:
        axes: :data:`PICTURE` or :data:`CLIP`.
        inplanes: Channels that come in.
        planes: Channels of the block.
        stride: Of the first convolution, along all axes.
        downsample: What brings the input to the shape of the output, or None.
        cardinality: 1; only bottlenecks have groups.

    Raises:
        ValueError: For another cardinality.
    """

    expansion = 1

    def __init__(
        self,
        axes: Axes,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        cardinality: int = 1,
    ) -> None:
        super().__init__()
        if cardinality != 1:
            raise ValueError(f'cardinality={cardinality} needs bottlenecks: depth 50 or more')
        self.conv1 = axes.conv(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = axes.norm(planes)
        self.conv2 = axes.conv(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = axes.norm(planes)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """Run the block."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """Convolutions of size 1, 3, 1; with ``cardinality`` above 1 that of ResNeXt, twice as wide.

    Args:
        axes: :data:`PICTURE` or :data:`CLIP`.
        inplanes: Channels that come in.
        planes: A quarter of the channels that go out.
        stride: Of the convolution of size 3, along all axes.
        downsample: What brings the input to the shape of the output, or None.
        cardinality: Groups of the convolution of size 3.
    """

    expansion = 4

    def __init__(
        self,
        axes: Axes,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        cardinality: int = 1,
    ) -> None:
        super().__init__()
        width = planes if cardinality == 1 else 2 * planes
        self.conv1 = axes.conv(inplanes, width, 1, bias=False)
        self.bn1 = axes.norm(width)
        self.conv2 = axes.conv(width, width, 3, stride, 1, groups=cardinality, bias=False)
        self.bn2 = axes.norm(width)
        self.conv3 = axes.conv(width, planes * self.expansion, 1, bias=False)
        self.bn3 = axes.norm(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """Run the block."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


def residual_layer(
    block: type[nn.Module],
    axes: Axes,
    inplanes: int,
    planes: int,
    count: int,
    stride: int,
    cardinality: int = 1,
) -> nn.Sequential:
    """``count`` blocks; the first one strides and projects its input (shortcut of type B)."""
    downsample = None
    outplanes = planes * block.expansion
    if stride != 1 or inplanes != outplanes:
        downsample = nn.Sequential(
            axes.conv(inplanes, outplanes, 1, stride, bias=False), axes.norm(outplanes)
        )
    first = block(axes, inplanes, planes, stride, downsample, cardinality)
    rest = (block(axes, outplanes, planes, cardinality=cardinality) for _ in range(count - 1))
    return nn.Sequential(first, *rest)


def init_residual(module: nn.Module) -> None:
    """Normal weights after He et al. (2015), over what goes out; applied by ``nn.Module.apply``."""
    if isinstance(module, (nn.Conv2d, nn.Conv3d)):
        nn.init.kaiming_normal_(module.weight, mode='fan_out')
