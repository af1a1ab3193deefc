import copy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mart_mm.models.importance.flow.base import OpticalFlow
from mart_mm.models.importance.flow.dis import DISFlow
from mart_mm.models.importance.flow.raft import RAFTFlow


def shifted_pair(step: tuple[int, int], size: int = 64) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(1)
    large = cv2.GaussianBlur(rng.random((size + 20, size + 20, 3)).astype(np.float32), (0, 0), 2.0)
    large = (255 * (large - large.min()) / np.ptp(large)).astype(np.uint8)
    first = large[10 : 10 + size, 10 : 10 + size]
    second = large[10 - step[1] : 10 - step[1] + size, 10 - step[0] : 10 - step[0] + size]
    return tuple(torch.from_numpy(x.copy()).permute(2, 0, 1)[None] for x in (first, second))


class FrameNumbers(OpticalFlow):
    """Tells which pairs it was asked for."""

    def estimate(self, frames: Tensor, neighbours: Tensor) -> Tensor:
        return torch.stack([frames[:, 0], neighbours[:, 0]], 1).float()


def test_pairs_lead_to_the_middle() -> None:
    clip = torch.arange(12.0).view(2, 6, 1, 1, 1).expand(2, 6, 3, 2, 2)
    flow = FrameNumbers()(clip, 3)
    assert flow[0, :, :, 0, 0].tolist() == [[0, 1], [1, 2], [2, 3], [0, 0], [4, 3], [5, 4]]
    assert flow[1, 5, :, 1, 1].tolist() == [11, 10]
    assert FrameNumbers()(clip[:, :1], 0).abs().sum() == 0


@pytest.mark.parametrize('preset', ['ultrafast', 'fast', 'medium'])
def test_dis_finds_a_planted_shift(preset: str) -> None:
    first, second = shifted_pair((3, -2))
    flow = DISFlow(preset=preset).estimate(torch.cat([first, second]), torch.cat([second, first]))
    assert flow.shape == (2, 2, 64, 64) and flow.dtype == torch.float32
    inner = flow[..., 12:-12, 12:-12].mean((2, 3))
    torch.testing.assert_close(inner, torch.tensor([[3.0, -2], [-3, 2]]), atol=0.15, rtol=0)


def test_dis_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="preset='slow'"):
        DISFlow(preset='slow')
    with pytest.raises(ValueError, match='12 x 12 pixels or more'):
        DISFlow()(torch.zeros(1, 2, 3, 8, 24), 1)


class ConstantRAFT(torch.nn.Module):
    """Stands for the model: every pixel moves by (6, 2); keeps what it was given."""

    def forward(self, first: Tensor, second: Tensor, num_flow_updates: int) -> list[Tensor]:
        self.given = first, second, num_flow_updates
        flow = torch.tensor([6.0, 2.0]).view(1, 2, 1, 1).expand(len(first), 2, *first.shape[2:])
        return [torch.zeros_like(flow), flow]


@pytest.mark.parametrize(('size', 'scale'), [(112, 2), (128, 1), (40, 4)])
def test_raft_enlarges_small_frames_and_shrinks_the_flow(
    monkeypatch: pytest.MonkeyPatch, size: int, scale: int
) -> None:
    model = ConstantRAFT()
    flow = RAFTFlow()
    monkeypatch.setattr(flow._model, 'load', lambda: model)
    frames = torch.randint(0, 256, (2, 3, size, size), dtype=torch.uint8)
    found = flow.estimate(frames, frames.flip(0))
    assert found.shape == (2, 2, size, size)
    torch.testing.assert_close(found[1, :, 3, 5], torch.tensor([6.0, 2.0]) / scale)
    first, second, num_updates = model.given
    assert num_updates == 6
    expected = F.interpolate(
        frames.float() / 127.5 - 1, scale_factor=scale, mode='bilinear', align_corners=False
    )
    torch.testing.assert_close(first, expected)
    torch.testing.assert_close(second, expected.flip(0))


def test_raft_runs_saved_weights(tmp_path: Path) -> None:
    pytest.importorskip('torchvision')
    from torchvision.models.optical_flow import raft_small

    model = raft_small().eval()
    torch.save(model.state_dict(), tmp_path / 'raft.pth')
    flow = RAFTFlow(weights=str(tmp_path / 'raft.pth'), num_updates=1)
    frames, neighbours = torch.randint(0, 256, (2, 1, 3, 128, 128), dtype=torch.uint8)
    with torch.no_grad():
        expected = model(frames / 127.5 - 1, neighbours / 127.5 - 1, num_flow_updates=1)[-1]
    torch.testing.assert_close(flow.estimate(frames, neighbours), expected, rtol=1e-4, atol=1e-4)
    assert not flow.state_dict() and not list(flow.parameters())
    assert copy.deepcopy(flow)._model is flow._model


def test_raft_says_which_file_is_missing(tmp_path: Path) -> None:
    pytest.importorskip('torchvision')
    with pytest.raises(OSError, match=r'none\.pth.*cannot be loaded.*flow\.weights'):
        RAFTFlow(weights=str(tmp_path / 'none.pth')).estimate(*torch.zeros(2, 1, 3, 128, 128))
