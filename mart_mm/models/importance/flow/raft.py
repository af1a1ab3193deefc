"""RAFT (Teed and Deng, ECCV 2020), the small model of torchvision."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional as F

from mart_mm.errors import WeightsError
from mart_mm.models.importance.flow.base import OpticalFlow
from mart_mm.models.layers.modes import full_precision
from mart_mm.models.weights import read_state
from mart_mm.registry import MODELS

if TYPE_CHECKING:
    from torchvision.models.optical_flow import RAFT

MIN_SIDE = 128  # RAFT refuses features below 16 x 16, an eighth of the picture
UNIT = 8  # sides are multiples of this


@MODELS.register_module()
class RAFTFlow(OpticalFlow):
    """A frozen RAFT-small. Loaded at the first use, so configs build without weights.

    Frames of a side below 128 pixels are enlarged (112 pixels: twice), and the flow shrinks back. It
    stands in no state dict, and copies of the holder share it.

    Args:
        weights: File of a state dict, e.g. torchvision's ``raft_small_C_T_V2-01064c6d.pth``; None lets
            torchvision download that one.
        num_updates: Refinements of the flow (MGMAE: 6).
    """

    def __init__(self, *, weights: str | None = None, num_updates: int = 6) -> None:
        super().__init__()
        self._model = _LazyRAFT(weights)
        self.num_updates = num_updates

    def estimate(self, frames: Tensor, neighbours: Tensor) -> Tensor:
        """See :class:`OpticalFlow`.

        Raises:
            ImportError: Where torchvision cannot be imported.
            OSError: When the weights cannot be loaded.
        """
        height, width = frames.shape[2:]
        scale = max(1, math.ceil(MIN_SIDE / min(height, width)))
        size = [math.ceil(scale * side / UNIT) * UNIT for side in (height, width)]
        model = self._model.load().to(frames.device)
        pairs = [_resize(x.float() / 127.5 - 1, size) for x in (frames, neighbours)]
        with full_precision(frames.device):
            flow = model(*pairs, num_flow_updates=self.num_updates)[-1]
        shrink = flow.new_tensor([width / size[1], height / size[0]]).view(2, 1, 1)
        return _resize(flow, [height, width]) * shrink


class _LazyRAFT:
    """Holds the model outside the module tree: not trained, not saved, not copied by EMA."""

    def __init__(self, weights: str | None) -> None:
        self.weights = weights
        self._model: RAFT | None = None

    def __deepcopy__(self, memo: dict) -> _LazyRAFT:
        return self

    def load(self) -> RAFT:
        if self._model is None:
            try:
                from torchvision.models.optical_flow import Raft_Small_Weights, raft_small
            except (ImportError, RuntimeError) as error:
                raise ImportError(
                    f'RAFTFlow needs torchvision, which cannot be imported here ({error}): install the '
                    "build that fits your torch, or use flow=dict(type='DISFlow')"
                ) from error
            try:
                if self.weights is None:
                    model = raft_small(weights=Raft_Small_Weights.C_T_V2, progress=False)
                else:
                    model = raft_small()
                    path = Path(self.weights).expanduser()
                    state = read_state(path)
                    model.load_state_dict(state)
            except (OSError, RuntimeError, WeightsError) as error:
                raise OSError(
                    f'RAFT weights {self.weights or "of torchvision"} cannot be loaded ({error}): give '
                    'the file raft_small_C_T_V2-01064c6d.pth of torchvision as flow.weights, or use '
                    "flow=dict(type='DISFlow')"
                ) from error
            self._model = model.eval().requires_grad_(False)
        return self._model


def _resize(x: Tensor, size: list[int]) -> Tensor:
    if list(x.shape[2:]) == size:
        return x
    return F.interpolate(x, size=size, mode='bilinear', align_corners=False)
