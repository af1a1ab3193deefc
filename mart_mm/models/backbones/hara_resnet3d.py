"""3-D ResNets and ResNeXts of Hara et al. (CVPR 2018), the visual encoder of VAANet, CTEN and MSAF."""

from __future__ import annotations

from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import Tensor, nn

from mart_mm.models.layers.residual import (
    CLIP,
    BasicBlock,
    Bottleneck,
    init_residual,
    residual_layer,
)
from mart_mm.models.weights import WeightsError, read_state
from mart_mm.registry import MODELS

BLOCKS = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
    152: (Bottleneck, (3, 8, 36, 3)),
}


@MODELS.register_module()
class HaraResNet3d(BaseModule):
    """Convolutions of size 3 along time too; 16 x 112 x 112 pixels become 1 x 4 x 4 cells.

    mmaction2's ``ResNet3d`` differs in the max-pool, which is 3 x 3 x 3 with stride 2 here, and has
    no ResNeXt. Parameters have the published names.

    Args:
        depth: 18, 34, 50, 101 or 152.
        cardinality: Groups of ResNeXt (32), or 1.
        base_channels: Channels of the stem.
        strides: Of the four layers, along all axes.
        frozen: Train nothing of it; its batch norms stay in evaluation mode.
        pretrained: Checkpoint of the authors (``resnet-101-kinetics.pth``); its classifier is left
            out. Loaded when weights are initialised.

    Raises:
        ValueError: For another depth.
    """

    num_parts = 2  # up to layer3, layer4: where MSAF fuses

    def __init__(
        self,
        *,
        depth: int = 101,
        cardinality: int = 1,
        base_channels: int = 64,
        strides: tuple[int, int, int, int] = (1, 2, 2, 2),
        frozen: bool = False,
        pretrained: str | None = None,
    ) -> None:
        super().__init__()
        if depth not in BLOCKS:
            raise ValueError(f'depth={depth}: choose one of {tuple(BLOCKS)}')
        self.frozen, self.pretrained = frozen, pretrained
        self.conv1 = nn.Conv3d(3, base_channels, 7, (1, 2, 2), 3, bias=False)
        self.bn1 = nn.BatchNorm3d(base_channels)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool3d(3, 2, 1)
        block, counts = BLOCKS[depth]
        inplanes = base_channels
        for index, (count, stride) in enumerate(zip(counts, strides, strict=True)):
            planes = base_channels * 2**index
            layer = residual_layer(block, CLIP, inplanes, planes, count, stride, cardinality)
            setattr(self, f'layer{index + 1}', layer)
            inplanes = planes * block.expansion
        #: channels that leave each part
        self.part_channels = (inplanes // 2, inplanes)
        if frozen:
            self.requires_grad_(False)

    def init_weights(self) -> None:
        """Load the pretrained weights, all of them, or draw new ones.

        Raises:
            WeightsError: When the checkpoint does not fit.
        """
        if not self.pretrained:
            self.apply(init_residual)
            return
        state = {k.removeprefix('module.'): v for k, v in read_state(self.pretrained).items()}
        own = self.state_dict()
        missing = [k for k in own if k not in state and not k.endswith('num_batches_tracked')]
        unknown = [k for k in state if k not in own and not k.startswith('fc.')]
        shapes = [k for k in own if k in state and state[k].shape != own[k].shape]
        if missing or unknown or shapes:
            raise WeightsError(
                f'{self.pretrained} does not fit this HaraResNet3d: missing {missing[:6]} '
                f'({len(missing)}), no place for {unknown[:6]} ({len(unknown)}), other shapes '
                f'{shapes[:6]} ({len(shapes)}). Check depth, cardinality and base_channels'
            )
        self.load_state_dict({k: v for k, v in state.items() if k in own}, strict=False)
        print_log(f'{self.pretrained}: all {len(own)} tensors loaded', logger='current')

    def run_part(self, index: int, x: Tensor) -> Tensor:
        """Part 0: everything up to ``layer3``; part 1: ``layer4``."""
        if index == 1:
            return self.layer4(x)
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.layer3(self.layer2(self.layer1(x)))

    def forward(self, x: Tensor) -> Tensor:
        """Feature map (n, channels, t, h, w) of (n, 3, T, H, W)."""
        return self.run_part(1, self.run_part(0, x))

    def train(self, mode: bool = True) -> HaraResNet3d:
        """Switch the mode; a frozen network stays in evaluation."""
        return super().train(mode and not self.frozen)
